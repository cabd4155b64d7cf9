"""SGLang's own router in front."""
import json
import unittest
import urllib.request

from tests.engines.sglang import bed as beds
from tests.engines.sglang import engines
from tests.engines.sglang import processes
from tests.engines.sglang import shared

PORT = 31800


class RoutersTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        bed = shared.bed()
        cls.router = engines.start_router(PORT, bed.path("router.log"), bed.prefill,
                                          beds.PREFILL_PORT, bed.decode)

    @classmethod
    def tearDownClass(cls):
        cls.router.kill()

    def test_it_pairs_the_servers_unchanged(self):
        for length in (30, 500):
            prompt = shared.bed().prompt(length)
            answer = engines.post(PORT, "/generate", {
                "input_ids": prompt,
                "sampling_params": {"max_new_tokens": 12, "temperature": 0, "ignore_eos": True}})
            self.assertEqual(answer.get("output_ids"), shared.bed().expected(prompt, 12), answer)

    def _completion(self, port: int, **more) -> dict:
        return {"model": "default", "prompt": "Tell me about the city of ", "max_tokens": 20,
                "temperature": 0, "ignore_eos": True, **more}

    def test_completions_of_the_openai_api_are_the_single_engine_s(self):
        alone = engines.post(31500, "/v1/completions", self._completion(31500))
        paired = engines.post(PORT, "/v1/completions", self._completion(PORT))
        self.assertEqual(paired["choices"][0]["text"], alone["choices"][0]["text"])

    def test_a_streamed_completion_is_the_same_text(self):
        alone = engines.post(31500, "/v1/completions", self._completion(31500))
        request = urllib.request.Request(
            "http://127.0.0.1:%d/v1/completions" % PORT,
            json.dumps(self._completion(PORT, stream=True)).encode(),
            {"content-type": "application/json"})
        text = ""
        with urllib.request.urlopen(request, timeout=processes.LIMIT_S) as reply:
            for line in reply.read().decode().splitlines():
                if line.startswith("data: {"):
                    text += json.loads(line[6:])["choices"][0]["text"]
        self.assertEqual(text, alone["choices"][0]["text"])
