"""A real engine's prefill and decode servers behind Baton's router, beside one engine alone.

    tools/demo_engine vllm|sglang

The router is baton-router, or Python's with BATON_ROUTER=python. Prompts go to it as OpenAI
requests and stream back; each is asked of the single engine too, and the texts must be equal. The
model is tiny and random: what it says means nothing.
"""
import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

from tests.engines.demo import launch
from tests.programs import program

PROMPTS = ["The quick brown fox", "Hand the cache over, ",
           "Once upon a time there was a page. " * 8, "Prefill here, decode there: " * 12]
TOKENS = 24
START_S = 600


def say(text: str) -> None:
    print(text, flush=True)


def http(port: int, path: str, body: dict | None = None):
    """An open reply."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request("http://127.0.0.1:%d%s" % (port, path), data,
                                     {"content-type": "application/json"})
    return urllib.request.urlopen(request, timeout=120)


def complete(port: int, prompt: str) -> tuple[str, float, float]:
    """The text as it streamed, seconds to its first piece and to its end."""
    body = {"model": "tiny", "prompt": prompt, "max_tokens": TOKENS, "temperature": 0,
            "ignore_eos": True, "stream": True}
    began, first, text = time.monotonic(), 0.0, ""
    with http(port, "/v1/completions", body) as reply:
        for line in reply:
            words = line.decode().removeprefix("data:").strip()
            if not words or words == "[DONE]":
                continue
            said = json.loads(words)
            if "error" in said:
                raise AssertionError("the answer to %r: %s" % (prompt[:30], said["error"]))
            first = first or time.monotonic() - began
            text += said["choices"][0]["text"]
    return text, first, time.monotonic() - began


class Demo:
    """Everything that runs; all of it ends with the stack."""

    def __init__(self, engine: str, stack: contextlib.ExitStack):
        self._stack = stack
        self._make = launch.ENGINES[engine]
        self._install = os.environ["BATON_ENGINE"]
        self.folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="baton-demo-"))
        self._bootstrap = self._program(program.BOOTSTRAP, "bootstrap", settle="none")
        self._agents = {}

    def _program(self, path: str, name: str, **flags: str) -> program.Program:
        folder = os.path.join(self.folder, name)
        os.mkdir(folder)
        started = program.Program(path, folder, **flags)
        self._stack.callback(started.end)
        started.address()
        return started

    def start_agent(self, role: str) -> None:
        folder = os.path.join(self.folder, role)
        self._agents[role] = self._program(
            program.AGENT, role, bootstrap=self._bootstrap.address(), transport="tcp",
            attach_socket=folder + "/attach.sock", service_socket=folder + "/agent.sock")

    def start_engine(self, role: str, port: int) -> subprocess.Popen:
        made = self._make(self._install, self.folder, role, port)
        log = self._stack.enter_context(open(os.path.join(self.folder, role + ".log"), "w"))
        process = subprocess.Popen(made.command, stdout=log, stderr=log, start_new_session=True,
                                   env={**os.environ, **made.env})
        self._stack.callback(lambda: (process.kill(), process.wait()))
        return process

    def wait(self, role: str, port: int, process: subprocess.Popen) -> None:
        ends = time.monotonic() + START_S
        while True:
            with contextlib.suppress(OSError), http(port, "/health") as reply:
                if reply.status == 200:
                    return
            if process.poll() is not None or time.monotonic() > ends:
                with open(os.path.join(self.folder, role + ".log"), encoding="utf-8") as file:
                    raise AssertionError("%s does not start:\n%s" % (role, file.read()[-4000:]))
            time.sleep(0.2)

    def start_router(self, port: int) -> None:
        log = self._stack.enter_context(open(os.path.join(self.folder, "router.log"), "w"))
        python = os.environ["BATON_ROUTER"] == "python"
        command = ([os.environ["BATON_ROUTER_PYTHON"], "-P", "-m", "baton.router"] if python else
                   [program.ROUTER])
        say("the router: " + " ".join(command))
        process = subprocess.Popen(
            command + ["--listen=127.0.0.1:%d" % port,
                       "--bootstrap=" + self._bootstrap.address()],
            stdout=log, stderr=log, env={k: v for k, v in os.environ.items()
                                         if k not in ("PYTHONPATH", "LD_LIBRARY_PATH")})
        self._stack.callback(lambda: (process.kill(), process.wait()))
        self.wait("router", port, process)

    def hand_offs(self) -> tuple[int, float]:
        """Hand-offs that the decode's agent saw end well, and their seconds in all."""
        _, text = self._agents["decode"].get("/metrics")
        def value(name: str) -> float:
            return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines()
                       if line.startswith(name + "{") and 'stage="land"' in line)
        return (int(value("baton_stage_duration_seconds_count")),
                value("baton_stage_duration_seconds_sum"))


def compare(router: int, single: int, demo: Demo) -> int:
    """Prompts whose two texts differ."""
    unequal, added = 0, []
    for turn in range(2):  # the first one compiles and fills caches of the engines themselves
        for prompt in PROMPTS:
            # A prompt of its own each turn, so that no prefix is cached.
            asked = prompt + " " * turn
            alone, first_alone, _ = complete(single, asked)
            text, first, took = complete(router, asked)
            unequal += text != alone
            if turn:
                added.append(first - first_alone)
            say("  %-24.24r -> %-40.40r %s" % (asked, text, "equal" if text == alone else
                                               "DIFFERS from %r" % alone))
            say("     first token %.0f ms (alone %.0f), all %d after %.0f ms" % (
                first * 1e3, first_alone * 1e3, TOKENS, took * 1e3))
    count, seconds = demo.hand_offs()
    say("hand-offs: %d, %.1f ms each from the offer to the last byte; first token %+.0f ms beside "
        "one engine (median)" % (count, seconds / max(count, 1) * 1e3,
                                 statistics.median(added) * 1e3))
    if count < 2 * len(PROMPTS):
        raise AssertionError("only %d hand-offs went through Baton" % count)
    return unequal


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("engine", choices=sorted(launch.ENGINES))
    engine = parser.parse_args().engine
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        demo = Demo(engine, stack)
        ports = {"prefill": 31100, "decode": 31200, "single": 31300}
        for role in launch.ROLES:
            demo.start_agent(role)
        say("starting three engines (%s), which takes a minute or two" % ", ".join(ports))
        engines = {role: demo.start_engine(role, port) for role, port in ports.items()}
        for role, process in engines.items():
            demo.wait(role, ports[role], process)
            say("  %s is up after %.0f s" % (role, time.monotonic() - began))
        demo.start_router(31000)
        unequal = compare(31000, ports["single"], demo)
    say("demo-%s: %s, %d prompts, %d differ from one engine's, %.0f s" % (
        engine, "FAIL" if unequal else "PASS", 2 * len(PROMPTS), unequal,
        time.monotonic() - began))
    return 1 if unequal else 0


if __name__ == "__main__":
    sys.exit(main())
