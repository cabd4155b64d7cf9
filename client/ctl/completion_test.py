"""Drives bash's own completion with the script that batonctl prints."""
import os
import subprocess
import tempfile
import unittest

_PROGRAM = os.path.abspath("client/ctl/batonctl")

# Bash calls the function of `complete -F` with these variables set; COMPREPLY is its answer.
_DRIVER = r"""
source <("$1" completion bash)
COMP_LINE=$2
COMP_POINT=${#COMP_LINE}
COMPREPLY=()
_batonctl
printf '%s\n' "${COMPREPLY[@]}"
"""


class Completion(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def complete(self, line):
        self.assertTrue(line.startswith("batonctl "))
        folder = os.path.dirname(_PROGRAM)
        environment = dict(os.environ, PATH=folder + ":" + os.environ["PATH"],
                           BATON_BOOTSTRAP="127.0.0.1:1")
        done = subprocess.run(["bash", "-c", _DRIVER, "bash", _PROGRAM, line], check=True,
                              capture_output=True, text=True, env=environment, timeout=60,
                              cwd=self.folder)
        self.assertEqual(done.stderr, "")
        return done.stdout.split()

    def test_verbs_complete_word_by_word(self):
        self.assertEqual(self.complete("batonctl ser"), ["server"])
        self.assertEqual(self.complete("batonctl server d"), ["describe", "drain"])
        self.assertEqual(self.complete("batonctl room "), ["abort", "list", "trace"])
        self.assertIn("doctor", self.complete("batonctl "))
        self.assertEqual(self.complete("batonctl help room a"), ["abort"])

    def test_flags_are_those_of_the_verb(self):
        self.assertEqual(self.complete("batonctl room list --fa"), ["--failed"])
        self.assertIn("--why=", self.complete("batonctl room abort 42 --"))
        self.assertNotIn("--why=", self.complete("batonctl room list --"))
        self.assertIn("--bootstrap=", self.complete("batonctl server list --"))

    def test_values_complete_with_and_without_an_equals_sign(self):
        self.assertEqual(self.complete("batonctl server list -o w"), ["wide"])
        self.assertEqual(self.complete("batonctl server list --output "), ["json", "table", "wide"])
        # Only what stands behind the "=" is replaced.
        self.assertEqual(self.complete("batonctl server list --role=pre"), ["prefill"])

    def test_files_complete_where_a_file_is_wanted(self):
        with open(self.folder + "/topology.txtpb", "w", encoding="utf-8"):
            pass
        self.assertEqual(self.complete("batonctl plan explain --prefill topo"), ["topology.txtpb"])
        self.assertEqual(self.complete("batonctl plan explain --prefill=topo"), ["topology.txtpb"])

    def test_a_service_that_is_away_completes_to_nothing(self):
        self.assertEqual(self.complete("batonctl server describe "), [])

    def test_both_scripts_are_there_and_no_others(self):
        zsh = subprocess.run([_PROGRAM, "completion", "zsh"], check=True, capture_output=True,
                             text=True)
        self.assertTrue(zsh.stdout.startswith("#compdef batonctl\n"))
        fish = subprocess.run([_PROGRAM, "completion", "fish"], capture_output=True, text=True,
                              check=False)
        self.assertEqual(fish.returncode, 2)
        self.assertIn("completion takes bash or zsh, not 'fish'", fish.stderr)


if __name__ == "__main__":
    unittest.main()
