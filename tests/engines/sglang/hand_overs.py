"""Tokens as the single engine's, pages as the prefill engine's, nothing else touched."""
import concurrent.futures
import unittest

from tests.engines.sglang import bed as beds
from tests.engines.sglang import shared


class HandOvers:
    """The cases, for each transport."""

    def check(self, prompt: list[int], tokens: int, room: int | None = None) -> dict:
        answer = shared.bed().hand_over(prompt, tokens, room)
        self.assertEqual(answer.get("output_ids"), shared.bed().expected(prompt, tokens), answer)
        return answer

    def check_pages(self, answer: dict, alone: bool) -> tuple[dict, dict]:
        source = shared.bed().probe("prefill", answer["room"])
        target = shared.bed().probe("decode", answer["room"])
        self.assertEqual(target["tokens"], source["tokens"])
        self.assertEqual(target["digest"], source["digest"])
        self.assertEqual(target["broken_rest"], 0)
        if alone:
            self.assertGreater(target["free"], 0)
            self.assertEqual(target["broken_free"], 0)
        return source, target

    def test_prompts_of_all_lengths_around_a_page_and_a_chunk(self):
        for length in (1, 2, 15, 16, 17, 31, 255, 256, 257, 300, 700, 1024, 2000):
            with self.subTest(tokens=length):
                answer = self.check(shared.bed().prompt(length), 12)
                source, _ = self.check_pages(answer, alone=True)
                self.assertEqual(source["tokens"], length)

    def test_a_long_prompt_goes_in_chunks_as_they_are_computed(self):
        answer = self.check(shared.bed().prompt(1100), 8)
        source, _ = self.check_pages(answer, alone=True)
        self.assertGreaterEqual(source["chunks"], 4)

    def test_a_prompt_that_prefill_has_in_its_cache(self):
        start = shared.bed().prompt(600)
        self.check(start, 8)
        answer = self.check(start + shared.bed().prompt(100), 8)
        self.assertGreaterEqual(answer["prefill"]["meta_info"]["cached_tokens"], 592)
        self.check_pages(answer, alone=True)

    def test_a_prompt_that_decode_has_in_its_cache_is_sent_from_there_on(self):
        start = shared.bed().prompt(400)
        self.check(start, 8)
        answer = self.check(start + shared.bed().prompt(50), 8)
        _, target = self.check_pages(answer, alone=True)
        self.assertLess(target["tokens"], 100)

    def test_the_same_prompt_again_sends_what_is_left_of_it(self):
        prompt = shared.bed().prompt(320)
        first = self.check(prompt, 8)
        again = self.check(prompt, 8)
        self.assertEqual(shared.bed().probe("decode", first["room"])["tokens"], 320)
        self.assertLess(shared.bed().probe("decode", again["room"])["tokens"], 33)

    def test_many_requests_at_once(self):
        prompts = [shared.bed().prompt(20 + 61 * i) for i in range(12)]
        wanted = [shared.bed().expected(prompt, 24) for prompt in prompts]
        with concurrent.futures.ThreadPoolExecutor(len(prompts)) as threads:
            answers = list(threads.map(lambda p: shared.bed().hand_over(p, 24), prompts))
        self.assertEqual([answer.get("output_ids") for answer in answers], wanted)
        for answer in answers:
            self.check_pages(answer, alone=False)

    def test_two_tp_ranks_send_to_one(self):
        shared.bed().start_sharded_agent()
        for length in (40, 700):
            prompt = shared.bed().prompt(length)
            answer = shared.bed().hand_over(
                prompt, 12, prefill=shared.bed().sharded, port=beds.SHARDED_PORT)
            self.assertEqual(answer.get("output_ids"), shared.bed().expected(prompt, 12), answer)

    def test_a_room_id_is_used_again_at_once(self):
        room = shared.bed().room()
        for _ in range(3):
            self.check(shared.bed().prompt(40), 6, room)


class HandOversTest(HandOvers, unittest.TestCase):
    """Over tcp."""

    def test_an_engine_whose_agent_comes_late_says_so_and_then_works(self):
        bed = shared.bed()
        leg = bed.leg(bed.room(), beds.SHARDED_PORT)
        error = bed.sharded.generate(bed.prompt(20), 2, **leg)["error"]
        self.assertIn("prefill-tp2[dp0/pp0/cp0/tp", error)
        self.assertIn("start baton-agent with this attach socket", error)
        self.test_two_tp_ranks_send_to_one()

    def test_the_agents_took_tcp(self):
        self.check(shared.bed().prompt(20), 2)
        self.assertEqual(shared.bed().transport, "tcp")


class OverSharedMemoryTest(HandOvers, unittest.TestCase):
    """The same engines with agents that share memory."""

    @classmethod
    def setUpClass(cls):
        shared.bed().restart_agents("shm")
        shared.bed().works_again(shared.bed().prompt(30), 4)
