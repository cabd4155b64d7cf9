"""A prefill server of two pipeline stages: each sends its own layers to one decode rank."""
import unittest

from tests.engines.sglang import shared

PORT = 8994


class PipelinesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        bed = shared.bed()
        cls.prefill = bed.another("prefill", "prefill-pp2", 31660, PORT, **{"pp-size": "2"})
        cls.addClassCleanup(lambda: cls.prefill.process.kill())
        cls.prefill.start().wait()

    def test_two_stages_send_to_one(self):
        bed = shared.bed()
        for length in (1, 17, 40, 300, 700):
            with self.subTest(tokens=length):
                prompt = bed.prompt(length)
                answer = bed.hand_over(prompt, 12, prefill=self.prefill, port=PORT)
                self.assertEqual(answer.get("output_ids"), bed.expected(prompt, 12), answer)

    def test_a_prompt_of_which_decode_has_the_start(self):
        bed = shared.bed()
        start = bed.prompt(200)
        for prompt in (start, start + bed.prompt(100)):
            answer = bed.hand_over(prompt, 12, prefill=self.prefill, port=PORT)
            self.assertEqual(answer.get("output_ids"), bed.expected(prompt, 12), answer)

    def test_a_room_that_fails_is_told_to_all_stages_and_they_go_on(self):
        bed = shared.bed()
        answer = bed.hand_over(bed.prompt(40), 4, prefill=self.prefill, port=PORT,
                               decode_prompt=bed.prompt(50))
        self.assertIn("TOTALS_DIFFER", answer.get("error", ""))
        # As routers do, the bed gives the other leg up at once: it may hear of that first.
        self.assertRegex(str(answer["prefill"]), "TOTALS_DIFFER|[Aa]bort")
        self.test_two_stages_send_to_one()
