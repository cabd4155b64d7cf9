"""docs/guides/vllm.md: its blocks in order, with two `vllm serve`, the router and HTTP."""
import json
import os
import shutil
import subprocess
import tempfile
import unittest

from tests.engines.vllm.bed import model
from tests.programs import program
from tools.deploy import guides

LIMIT_S = 420
MARK = "not run: make test-vllm runs it"


def package(folder: str, root: str) -> None:
    """The Python package whole, as the wheel has it."""
    shutil.copytree(os.path.join(root, "client/python/baton"), folder + "/baton")
    schema = os.path.join(root, "bazel-bin/client/python/v1/baton/v1")
    shutil.copytree(schema, folder + "/baton/v1")


class GuideTest(unittest.TestCase):
    def test_the_blocks_serve_a_request_over_http(self):
        root = os.environ["BATON_ROOT"]
        with open(os.path.join(root, "docs/guides/vllm.md"), encoding="utf-8") as f:
            blocks = [b for b in guides.of_commands(f.read()) if b.mark == MARK]
        self.assertEqual(len(blocks), 4)
        with tempfile.TemporaryDirectory(prefix="baton-vllm-guide-") as folder:
            package(folder, root)
            done = self.run_script("set -eum\n" + "\n".join(b.text for b in blocks), folder)
            logs = self.logs(folder)
        self.assertEqual(done.returncode, 0, done.stdout[-3000:] + logs)
        start = done.stdout.index('{"id"')
        answer, _ = json.JSONDecoder().raw_decode(done.stdout[start:])
        self.assertEqual(answer["usage"]["completion_tokens"], 16)
        self.assertTrue(answer["choices"][0]["text"])
        self.assertRegex(done.stdout, r'baton_rooms_total\{.*outcome="done",side="receive"\} 1\.0')

    @staticmethod
    def run_script(text: str, folder: str) -> subprocess.CompletedProcess:
        engine = os.environ["BATON_ENGINE"]
        programs = [os.path.dirname(p) for p in (program.AGENT, program.BOOTSTRAP)]
        flags = ("--dtype float32 --enforce-eager --max-model-len 1024 "
                 "--kv-cache-memory-bytes 67108864")
        env = {**os.environ, "PYTHONPATH": folder, "MODEL": model("gqa"), "FLAGS": flags,
               "PATH": ":".join([engine + "/venv/bin", *programs, os.environ["PATH"]])}
        env.pop("VLLM_ENABLE_V1_MULTIPROCESSING", None)
        end = "\nkill %6 %5 %4 && wait %6 %5 %4 || true\nkill %1 %2 %3\n"
        return subprocess.run(["timeout", "-k", "5", str(LIMIT_S), "bash", "-c", text + end],
                              cwd=folder, env=env, stdin=subprocess.DEVNULL, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    @staticmethod
    def logs(folder: str) -> str:
        found = []
        for path in ("prefill/vllm.log", "decode/vllm.log", "prefill/agent.log",
                     "decode/agent.log", "router.log"):
            try:
                with open(os.path.join(folder, path), encoding="utf-8") as f:
                    found.append("--- %s\n%s" % (path, f.read()[-6000:]))
            except FileNotFoundError:
                found.append("--- %s: none" % path)
        return "\n".join(found)
