"""Completion as a person meets it: bash and zsh in a terminal, each with the script that batonctl
prints for it, Tab pressed, and what stands on the line and on the screen thereafter."""
import os
import pty
import select
import signal
import subprocess
import tempfile
import time
import unittest

_PROGRAM = os.path.abspath("bazel-bin/client/ctl/batonctl")
_LIMIT_S = 30

# ^X ^P tells what stands on the line, in a file that appears whole.
_BASH = r"""
bind 'set show-all-if-ambiguous on'
bind 'set completion-query-items 0'
bind 'set page-completions off'
bind 'set enable-bracketed-paste off'
show() { printf '%s|' "$READLINE_LINE" > line.new; mv line.new line; }
bind -x '"\C-x\C-p": show'
source <(batonctl completion bash)
touch ready
"""
_ZSH = r"""
autoload -Uz compinit && compinit -u -D
setopt no_beep
LISTMAX=1000
show() { print -rn -- "$BUFFER|" > line.new; mv line.new line; }
zle -N show
bindkey '^X^P' show
source <(batonctl completion zsh)
touch ready
"""


class _Terminal:
    """An interactive shell in a folder of its own."""

    def __init__(self, shell: str, script: str):
        self._folder = tempfile.TemporaryDirectory()
        self.folder = self._folder.name
        with open(self.folder + "/.rc", "w", encoding="utf-8") as f:
            f.write(script)
        env = {"HOME": self.folder, "PATH": os.path.dirname(_PROGRAM) + ":" + os.environ["PATH"],
               "TERM": "dumb", "PS1": "> ", "BATON_BOOTSTRAP": "127.0.0.1:1"}
        master, slave = pty.openpty()
        command = {"bash": ["bash", "--norc", "--noprofile", "-i"], "zsh": ["zsh", "-f", "-i"]}
        self._process = subprocess.Popen(command[shell], stdin=slave, stdout=slave, stderr=slave,
                                         cwd=self.folder, env=env, start_new_session=True)
        os.close(slave)
        self._master = master
        self.type(" source ./.rc\r")
        self.await_file("ready")

    def close(self) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._master)
        self._folder.cleanup()

    def type(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def _drain(self, seconds: float) -> str:
        """What the shell prints; a terminal that nobody reads would stop it."""
        if not select.select([self._master], [], [], seconds)[0]:
            return ""
        return os.read(self._master, 65536).decode(errors="replace")

    def await_file(self, name: str) -> tuple[str, str]:
        """The file's content, and what was printed until it was there."""
        path = os.path.join(self.folder, name)
        ends, printed = time.monotonic() + _LIMIT_S, ""
        while not os.path.exists(path):
            if time.monotonic() > ends:
                raise AssertionError("no %s after %d s:\n%s" % (name, _LIMIT_S, printed))
            printed += self._drain(0.05)
        while more := self._drain(0):
            printed += more
        with open(path, encoding="utf-8") as f:
            text = f.read()
        os.unlink(path)
        return text, printed

    def complete(self, line: str) -> tuple[str, list[str]]:
        """The line after Tab, and the words on the screen."""
        self.type("\x15" + line + "\t\x18\x10")  # ^U: an empty line first
        text, printed = self.await_file("line")
        return text.removesuffix("|"), printed.split()


class _Cases:
    shell = script = ""

    def setUp(self):
        self.terminal = _Terminal(self.shell, self.script)
        self.addCleanup(self.terminal.close)

    def test_a_verb_is_completed_word_by_word(self):
        self.assertEqual(self.terminal.complete("batonctl ser")[0], "batonctl server ")
        self.assertEqual(self.terminal.complete("batonctl room a")[0], "batonctl room abort ")
        self.assertEqual(self.terminal.complete("batonctl help room tr")[0],
                         "batonctl help room trace ")

    def test_what_is_not_decided_is_listed(self):
        line, screen = self.terminal.complete("batonctl server ")
        self.assertEqual(line.rstrip(), "batonctl server")
        self.assertLessEqual({"describe", "drain", "list", "watch"}, set(screen))

    def test_a_flag_stays_open_for_its_value(self):
        self.assertEqual(self.terminal.complete("batonctl room abort 42 --wh")[0],
                         "batonctl room abort 42 --why=")
        self.assertEqual(self.terminal.complete("batonctl room list --fa")[0],
                         "batonctl room list --failed ")

    def test_a_value_is_completed_with_and_without_an_equals_sign(self):
        self.assertEqual(self.terminal.complete("batonctl server list -o w")[0],
                         "batonctl server list -o wide ")
        self.assertEqual(self.terminal.complete("batonctl server list --role=pre")[0],
                         "batonctl server list --role=prefill ")

    def test_a_file_is_completed_where_one_is_wanted(self):
        with open(self.terminal.folder + "/topology.txtpb", "w", encoding="utf-8"):
            pass
        for flag in ("--prefill ", "--prefill="):
            line = self.terminal.complete("batonctl plan explain %stopo" % flag)[0]
            self.assertEqual(line.rstrip(), "batonctl plan explain %stopology.txtpb" % flag)

    def test_a_service_that_is_away_completes_to_nothing_and_says_nothing(self):
        line, screen = self.terminal.complete("batonctl server describe ")
        self.assertEqual(line.rstrip(), "batonctl server describe")
        self.assertNotIn("batonctl:", screen)


class Bash(_Cases, unittest.TestCase):
    shell, script = "bash", _BASH


class Zsh(_Cases, unittest.TestCase):
    shell, script = "zsh", _ZSH


if __name__ == "__main__":
    unittest.main()
