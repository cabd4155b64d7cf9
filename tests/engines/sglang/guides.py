"""The guide's own commands, in order, with the engines that they start: what its user does."""
import os
import subprocess
import tempfile
import unittest

from tests.engines.sglang import bed as beds
from tests.engines.sglang import engines
from tests.engines.sglang import processes
from tests.engines.sglang import shared
from tools.deploy import guides

PAGE = "docs/guides/sglang.md"
MARK = "not run: make test-sglang runs it"
# On the PATH of the guide, which has a network of its own: its ports are the shared bed's as well.
PROGRAMS = ("bootstrap_service/app/baton-bootstrap", "transfer_agent/app/baton-agent",
            "client/ctl/batonctl")


def script() -> str:
    with open(PAGE, encoding="utf-8") as f:
        marked = [b.text for b in guides.of_commands(f.read()) if b.mark == MARK]
    assert len(marked) >= 3, "the page's blocks are marked otherwise"
    return "set -eu\n" + "\n".join(marked) + "\necho; echo THE-END\n"


class GuidesTest(unittest.TestCase):
    def test_its_commands_bring_text_out_of_two_servers_and_a_router(self):
        with tempfile.TemporaryDirectory(dir=shared.bed().folder) as folder:
            paths = [engines.folder() + "/venv/bin", *(
                os.path.dirname(os.path.abspath("bazel-bin/" + p)) for p in PROGRAMS)]
            flags = " ".join("--%s %s" % f for f in engines.FLAGS.items() if f[0] != "host")
            env = engines.environment(
                PATH=":".join([*paths, os.environ["PATH"]]), MODEL=engines.folder() + "/model",
                FLAGS=" ".join([flags, *engines.SWITCHES,
                                "--disaggregation-decode-retraction-backup cpu_tensor"]),
                BATON_C_LIBRARY=beds.LIBRARY,
                PYTHONPATH=beds.plugins(folder + "/plugins", False))
            with open(folder + "/script", "w", encoding="utf-8") as f:
                f.write("ip link set lo up\n" + script())
            done = subprocess.run(
                ["unshare", "--net", "--pid", "--mount", "--fork", "--kill-child", "--mount-proc",
                 "bash", folder + "/script"],
                cwd=folder, env={**os.environ, **env}, stdin=subprocess.DEVNULL, check=False,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                timeout=processes.LIMIT_S)
            logs = "".join(processes.tail("%s/%s/sglang.log" % (folder, side), 10)
                           for side in ("prefill", "decode")
                           if os.path.exists("%s/%s/sglang.log" % (folder, side)))
            self.assertIn("THE-END", done.stdout, done.stdout[-3000:] + logs)
            self.assertIn('"text"', done.stdout)
            for rank in ("prefill-a[dp0/pp0/cp0/tp0]", "decode-a[dp0/pp0/cp0/tp0]"):
                self.assertRegex(done.stdout, r"(?m)^%s +up" % rank.replace("[", r"\["))
