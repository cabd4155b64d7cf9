"""Requests that fail or are given up: the cause is told on both sides, and the rest goes on."""
import unittest

from tests.engines.sglang import bed as beds
from tests.engines.sglang import misfits
from tests.engines.sglang import processes
from tests.engines.sglang import shared


class FailuresTest(unittest.TestCase):
    def tearDown(self):
        prompt = shared.bed().prompt(60)
        answer = shared.bed().hand_over(prompt, 6)
        self.assertEqual(answer.get("output_ids"), shared.bed().expected(prompt, 6), answer)

    def _legs(self, prefill: list[int], decode: list[int]) -> tuple[beds.Leg, beds.Leg]:
        bed = shared.bed()
        leg = bed.leg(bed.room())
        return beds.Leg(bed.prefill, prefill, 4, leg), beds.Leg(bed.decode, decode, 4, leg)

    def _beside_others(self, act) -> None:
        """Requests that have nothing to do with it run through it."""
        bed = shared.bed()
        prompt = bed.prompt(1500)
        want = bed.expected(prompt, 64)
        leg = bed.leg(bed.room())
        other = beds.Leg(bed.prefill, prompt, 64, leg)
        answer = beds.Leg(bed.decode, prompt, 64, leg)
        act()
        other.join()
        self.assertEqual(answer.join().get("output_ids"), want)

    def test_a_room_that_fails_tells_both_sides_which_rank_and_why(self):
        bed = shared.bed()

        def differ():
            prefill, decode = self._legs(bed.prompt(50), bed.prompt(40))
            for answer in (prefill.join(), decode.join()):
                self.assertIn("TOTALS_DIFFER", answer.get("error", ""))
                self.assertIn("target expects 40", answer["error"])
                self.assertIn("50", answer["error"].partition("TOTALS_DIFFER")[2])
        self._beside_others(differ)
        self.assertTrue(bed.decode.process.lines("TOTALS_DIFFER"))

    def test_decode_gives_a_request_up_that_waits_for_its_prefill(self):
        bed = shared.bed()
        room = bed.room()

        def abort():
            leg = beds.Leg(bed.decode, bed.prompt(40), 4, bed.leg(room))
            processes.eventually(lambda: bed.has_room("decode", room), "the room is open")
            bed.decode.abort("room-%d" % room)
            self.assertIn("decode engine aborted the request", leg.join().get("error", ""))
        self._beside_others(abort)

    def test_prefill_hears_of_a_request_that_decode_gave_up(self):
        bed = shared.bed()
        room = bed.room()
        decode = beds.Leg(bed.decode, bed.prompt(40), 4, bed.leg(room))
        processes.eventually(lambda: bed.has_room("decode", room), "the room is open")
        bed.decode.abort("room-%d" % room)
        decode.join()
        prefill = beds.Leg(bed.prefill, bed.prompt(40), 4, bed.leg(room))
        error = prefill.join().get("error", "")
        self.assertIn("aborted", error.lower())

    def test_decode_hears_of_a_request_that_prefill_gave_up(self):
        bed = shared.bed()
        room = bed.room()
        prefill = beds.Leg(bed.prefill, bed.prompt(40), 4, bed.leg(room))
        processes.eventually(lambda: bed.has_room("prefill", room),
                             "the room is open")
        bed.prefill.abort("room-%d" % room)
        self.assertIn("aborted", prefill.join().get("error", ""))
        decode = beds.Leg(bed.decode, bed.prompt(40), 4, bed.leg(room))
        self.assertIn("aborted", decode.join().get("error", "").lower())

    def test_a_prefill_server_that_nobody_knows_is_given_up_soon(self):
        bed = shared.bed()
        leg = beds.Leg(bed.decode, bed.prompt(40), 4, bed.leg(bed.room(), port=8996))
        error = leg.join().get("error", "")
        self.assertIn("no prefill server 127.0.0.1:8996 is registered", error)
        beds.say("an unknown prefill server is told after %.1f s" % leg.took)

    def test_a_prefill_server_of_another_shape_is_refused_by_name_and_field(self):
        bed = shared.bed()
        with misfits.prefill_with_pages_of(32, bed):
            leg = beds.Leg(bed.decode, bed.prompt(40), 4, bed.leg(bed.room(), misfits.PORT))
            error = leg.join().get("error", "")
        self.assertRegex(error, "INCOMPATIBLE: .*tensor .*source has none|page_tokens")
        self.assertRegex(error, "127.0.0.1:8997|prefill-odd")
