"""Whole requests on every arrangement of engines: the decode side's tokens are those of one engine
alone, and its pages those of the prefill side, byte for byte."""
from tests.engines.vllm.bed import PairTest
from tests.engines.vllm.pair import prompt

# Around the bounds of pages (128 tokens, MLA 16), one page, several, chunks (512).
SIZES = (1, 2, 5, 127, 128, 129, 130, 257, 300, 600, 1100)
CHUNKED = {"max_num_batched_tokens": 512}


class _HandOff:
    PREFILL = CHUNKED

    def test_tokens_are_those_of_one_engine_and_pages_are_equal(self):
        for size in SIZES:
            with self.subTest(tokens=size):
                if size == 1:  # Nothing to hand over: the decode side computes the last token.
                    words = prompt(size, 1)
                    _, made, why = self.pair.hand_off(words)
                    self.assertEqual((made, why), (self.pair.oracle(words), "length"))
                else:
                    self.assert_handed_off(prompt(size, 1))

    def test_several_requests_at_once(self):
        legs = [self.pair.legs(prompt(size, 2), 12) for size in (40, 700, 128, 300, 1000, 6)]
        for each in legs:
            self.pair.add(each)
        made = {each.name: self.pair.decode.done(each.name) for each in legs}
        for each in legs:
            self.assertEqual(self.pair.difference(each), "")
            self.assertEqual(made[each.name], (self.pair.oracle(each.prompt, 12), "length"))

    def test_zz_every_page_is_given_back(self):
        self.pair.settled()


class OverTcpTest(_HandOff, PairTest):
    """Grouped queries."""


class OverSharedMemoryTest(_HandOff, PairTest):
    TRANSPORT = "shm"


class SlidingWindowTest(_HandOff, PairTest):
    """Hybrid: four page groups that overlay each other, three of them with a window."""
    MODEL = "swa"


class TwoTensorRanksTest(_HandOff, PairTest):
    PREFILL = {"tensor_parallel_size": 2, **CHUNKED}
    DECODE = {"tensor_parallel_size": 2}


class TwoTensorRanksToOneTest(_HandOff, PairTest):
    TRANSPORT = "shm"
    PREFILL = {"tensor_parallel_size": 2, **CHUNKED}


class TwoPipelineStagesTest(_HandOff, PairTest):
    PREFILL = {"pipeline_parallel_size": 2, **CHUNKED}
    DECODE = {"pipeline_parallel_size": 2}


class LatentAttentionTest(PairTest):
    """This build's tokens are no oracle: its prefill and its decode disagree with one another.
    Pages are compared, and what the decode makes of equal pages a second time."""
    MODEL = "mla"

    def test_pages_are_equal_and_give_equal_tokens(self):
        for size in SIZES[1:]:
            with self.subTest(tokens=size):
                words = prompt(size, 1)
                legs, made, why = self.pair.hand_off(words)
                self.assertEqual(why, "length")
                self.assertEqual(self.pair.difference(legs), "")
                again, made_again, _ = self.pair.hand_off(words)
                self.assertEqual(self.pair.difference(again), "")
                self.assertEqual(made, made_again)

    def test_zz_every_page_is_given_back(self):
        self.pair.settled()
