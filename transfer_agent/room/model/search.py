"""Builds and runs searches of room.pml. Needs spin and gcc."""
import dataclasses
import os
import re
import subprocess
import tempfile
import unittest

MODEL = os.path.abspath("transfer_agent/room/model/room.pml")
LIMIT_S = 850
# All that may happen, at once.
ALL = ("LOSSES=1", "CUTS=1", "RENEWALS=1")


def run(*command: str) -> str:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=LIMIT_S, check=False)
    if done.returncode != 0:
        raise AssertionError("%s: %s" % (" ".join(command), done.stdout + done.stderr))
    return done.stdout


@dataclasses.dataclass(frozen=True)
class Result:
    errors: int
    states: int
    output: str


class Search(unittest.TestCase):
    """A case that runs in a folder of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()  # pylint: disable=consider-using-with
        self.addCleanup(folder.cleanup)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(folder.name)

    def build(self, defines, flags):
        run("spin", *("-D" + d for d in defines), "-a", MODEL)
        run("gcc", "-O2", "-w", "-DCOLLAPSE", "-DMEMLIM=4000", *flags, "-o", "pan", "pan.c")

    def search(self, *arguments: str) -> Result:
        out = run("./pan", "-m20000", *arguments)
        errors = re.search(r"errors: (\d+)", out)
        states = re.search(r"(\d+(?:\.\d+)?(?:e\+\d+)?) states, stored", out)
        self.assertTrue(errors and states, out)
        result = Result(int(errors.group(1)), int(float(states.group(1))), out)
        if result.errors == 0:
            # Whole, or it shows nothing.
            self.assertNotIn("not completed", out)
            self.assertNotIn("max search depth too small", out)
        return result
