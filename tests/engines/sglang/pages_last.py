"""Decode gives pages to prompts that are computed, and to no others."""
import unittest

from tests.engines.sglang import bed as beds
from tests.engines.sglang import processes
from tests.engines.sglang import shared

PORT = 8992
POLICY = {"disaggregation-decode-allocation-policy": "prefill_complete"}


class PagesLastTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        bed = shared.bed()
        cls.prefill = bed.another("prefill", "prefill-last", 31680, PORT, **POLICY)
        cls.decode = bed.another("decode", "decode-last", 31780, PORT, **POLICY,
                                 **beds.RETRACTION)
        for engine in (cls.prefill, cls.decode):
            engine.start()
            cls.addClassCleanup(engine.process.kill)
        for engine in (cls.prefill, cls.decode):
            engine.wait()

    def check(self, length: int) -> None:
        bed = shared.bed()
        prompt = bed.prompt(length)
        answer = bed.hand_over(prompt, 12, prefill=self.prefill, decode=self.decode, port=PORT)
        self.assertEqual(answer.get("output_ids"), bed.expected(prompt, 12), answer)

    def test_prompts_of_one_chunk_and_of_several(self):
        for length in (1, 17, 300, 700):
            with self.subTest(tokens=length):
                self.check(length)

    def test_requests_go_past_one_whose_prompt_is_not_computed(self):
        bed = shared.bed()
        room = bed.room()
        waits = beds.Leg(self.decode, bed.prompt(40), 4, bed.leg(room, PORT))
        processes.eventually(lambda: bed.has_room("decode-last", room), "the room is announced")
        self.check(40)
        self.assertTrue(waits.waits)
        self.decode.abort("room-%d" % room)
        self.assertIn("abort", waits.join().get("error", "").lower())
        self.check(40)
