"""Programs that end in the middle of it, and come back."""
import time
import unittest

from tests.engines.sglang import bed as beds
from tests.engines.sglang import processes
from tests.engines.sglang import shared


class RestartsTest(unittest.TestCase):
    def _open_leg(self) -> beds.Leg:
        """A request that decode has told its agent of, and that waits for its prefill leg."""
        bed = shared.bed()
        room = bed.room()
        leg = beds.Leg(bed.decode, bed.prompt(40), 4, bed.leg(room))
        processes.eventually(lambda: bed.has_room("decode", room), "the room is open")
        return leg

    def _fails(self, leg: beds.Leg, words: str) -> float:
        start = time.monotonic()
        error = leg.join().get("error", "")
        self.assertIn(words, error)
        return time.monotonic() - start

    def test_a_prefill_engine_that_is_killed(self):
        bed = shared.bed()
        leg = self._open_leg()
        bed.prefill.process.kill()
        self.addCleanup(bed.works_again, bed.prompt(40), 6)
        self.addCleanup(lambda: bed.prefill.start().wait())
        beds.say("decode knows of a killed prefill engine after %.1f s" %
                 self._fails(leg, "ENGINE_LOST"))
        self._becomes_unknown()

    def _becomes_unknown(self) -> None:
        """Every request to the dead prefill fails. The registry may hear of its end later than the
        room that ended with it."""
        bed = shared.bed()

        def unknown() -> bool:
            leg = beds.Leg(bed.decode, bed.prompt(40), 4, bed.leg(bed.room()))
            error = leg.join().get("error", "")
            self.assertRegex(error, "prefill-a|127.0.0.1:8998")
            beds.say("a request to the dead prefill fails after %.1f s" % leg.took)
            return "no prefill server 127.0.0.1:8998 is registered" in error
        processes.eventually(unknown, "the dead prefill is no longer registered")

    def test_a_prefill_agent_that_is_killed(self):
        bed = shared.bed()
        leg = self._open_leg()
        bed.agents["prefill"].kill()
        beds.say("decode knows of a killed prefill agent after %.1f s" %
                 self._fails(leg, "prefill-a"))
        bed.start_agent("prefill")
        bed.works_again(bed.prompt(40), 6)

    def test_a_decode_agent_that_is_killed(self):
        bed = shared.bed()
        leg = self._open_leg()
        bed.agents["decode"].kill()
        beds.say("decode knows of its own agent's end after %.1f s" % self._fails(leg, "agent"))
        bed.start_agent("decode")
        bed.works_again(bed.prompt(40), 6)

    def test_requests_run_while_the_bootstrap_service_is_gone_for_ten_seconds(self):
        bed = shared.bed()
        prompts = [bed.prompt(30 + 50 * i) for i in range(10)]
        wanted = [bed.expected(prompt, 8) for prompt in prompts]
        bed.bootstrap.kill()
        self.addCleanup(bed.works_again, bed.prompt(40), 6)
        self.addCleanup(bed.start_bootstrap)
        gone = time.monotonic()
        for prompt, want in zip(prompts, wanted):
            answer = bed.hand_over(prompt, 8)
            self.assertEqual(answer.get("output_ids"), want, answer)
        processes.eventually(lambda: time.monotonic() - gone > 10, "ten seconds are over")
        answer = bed.hand_over(prompts[0][:20], 8)
        self.assertEqual(answer.get("output_ids"), bed.expected(prompts[0][:20], 8), answer)

    def test_the_engines_of_both_sides_are_the_ones_that_started(self):
        for engine in shared.bed().all:
            engine.process.check_runs()
