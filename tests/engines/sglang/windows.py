"""A model three of whose four layers keep the last 64 tokens alone, from one server to another."""
import unittest

from tests.engines.sglang import engines
from tests.engines.sglang import shared

PORT = 8993


class WindowsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        bed = shared.bed()
        model = {"model-path": engines.folder() + "/model/window"}
        cls.single = engines.Engine("single-window", 31510, bed.path("single-window.log"), {},
                                    **model)
        cls.prefill = bed.another("prefill", "prefill-window", 31670, PORT, **model)
        cls.decode = bed.another("decode", "decode-window", 31770, PORT, **model)
        for engine in (cls.single, cls.prefill, cls.decode):
            engine.start()
            cls.addClassCleanup(engine.process.kill)
        for engine in (cls.single, cls.prefill, cls.decode):
            engine.wait()

    def check(self, prompt: list[int]) -> dict:
        answer = shared.bed().hand_over(prompt, 12, prefill=self.prefill, decode=self.decode,
                                        port=PORT)
        want = self.single.generate(prompt, 12)["output_ids"]
        self.assertEqual(answer.get("output_ids"), want, answer)
        return answer

    def test_prompts_of_all_lengths_around_a_page_and_the_window(self):
        for length in (1, 16, 17, 63, 64, 65, 80, 81, 300, 700):
            with self.subTest(tokens=length):
                self.check(shared.bed().prompt(length))

    def test_a_prompt_of_which_either_side_has_the_start(self):
        start = shared.bed().prompt(200)
        self.check(start)
        for more in (10, 100):
            answer = self.check(start + shared.bed().prompt(more))
            self.assertGreater(answer["prefill"]["meta_info"]["cached_tokens"], 0)
