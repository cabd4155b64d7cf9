"""Prefill in one process, decode in another, tokens as in one: PyTorch engines over real agents.

    python -m client.examples.torch_pd [--device=cpu|cuda] [--model=llama|mla] [--transport=auto]

With a GPU both caches are PyTorch's own memory there: on two GPUs where there are two, else on
one. Prompts are computed in chunks and sent as they are computed; the second half of them shares a
prefix with the first, which is not sent again. Everything is compared with a run in this process
alone: the tokens must be the same.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile

import torch

import baton
from baton.demo import Programs
from client.examples.torch_pd.engine import PAGES, Engine, cache_shape, dtype_of, generate
from client.examples.torch_pd.model import Config, Model

PROMPTS, TOKENS, PREFIX, CHUNK, STEPS = 6, 700, 320, 256, 40


def prompts(config: Config) -> list[list[int]]:
    """The second half begin as the first ones do."""
    generator = torch.Generator().manual_seed(99)
    drawn = torch.randint(0, config.vocabulary, (PROMPTS, TOKENS), generator=generator).tolist()
    half = PROMPTS // 2
    return drawn[:half] + [drawn[i][:PREFIX] + drawn[half + i][PREFIX:] for i in range(half)]


def in_one_process(config: Config, device: str) -> list[list[int]]:
    """What the prompts are answered with when nothing is handed over."""
    cache = torch.zeros(cache_shape(config), dtype=dtype_of(device), device=device)
    model = Model(config, cache)
    answers = []
    for prompt in prompts(config):
        pages = list(range(PAGES // 2))
        first = -1
        for begin in range(0, TOKENS, CHUNK):
            first = model.forward(prompt[begin : begin + CHUNK], begin, pages)
        answers.append(generate(model, pages, TOKENS, first, STEPS))
    return answers


def serve(role: str, config: Config, device: str, folder: str) -> None:
    """An engine process: a line of JSON asks, one answers."""
    prefill = role == "prefill"
    engine = Engine(config, device, baton.Role.PREFILL if prefill else baton.Role.DECODE, folder)
    print(json.dumps([engine.pool.lent, engine.pool.missing]), flush=True)
    call = {"prefill": engine.prefill, "receive": engine.receive, "generate": engine.generate}
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        print(json.dumps(call[name](*arguments)), flush=True)
    engine.close()


class EngineProcess:
    """An engine of its own, asked over a pipe."""

    def __init__(self, stack: contextlib.ExitStack, role: str, folder: str, arguments) -> None:
        device = device_of(role, arguments.device)
        self._process = stack.enter_context(subprocess.Popen(
            [sys.executable, "-m", "client.examples.torch_pd", f"--role={role}",
             f"--folder={os.path.join(folder, role)}", f"--device={device}",
             f"--model={arguments.model}"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        stack.callback(self._process.stdin.close)
        lent, missing = self.answer()
        print(f"{role} engine on {device}: lent by {lent or 'memfd'}"
              + (f" ({missing})" if missing else ""), flush=True)

    def ask(self, *what) -> None:
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()

    def answer(self):
        line = self._process.stdout.readline()
        if not line:
            sys.exit("an engine ended: see above")
        return json.loads(line)


def device_of(role: str, device: str) -> str:
    if device != "cuda":
        return device
    return f"cuda:{1 if role == 'decode' and torch.cuda.device_count() > 1 else 0}"


def handed_over(config: Config, arguments) -> list[list[int]]:
    """What they are answered with when prefill and decode are engines of their own."""
    answers = []
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="torch-"))
        programs = Programs(folder, stack)
        bootstrap = programs.start("baton-bootstrap", "bootstrap", settle="none")
        for name in ("prefill", "decode"):
            sockets = {f"{s}_socket": os.path.join(folder, name, f"{s}.sock") for s in
                       ("attach", "service")}
            programs.start("baton-agent", name, bootstrap=bootstrap,
                           transport=arguments.transport, **sockets)
        prefill, decode = (EngineProcess(stack, role, folder, arguments)
                           for role in ("prefill", "decode"))
        for number, prompt in enumerate(prompts(config)):
            hit = number >= PROMPTS // 2
            decode.ask("receive", number, TOKENS, number - PROMPTS // 2 if hit else None,
                       PREFIX if hit else 0)
            prefill.ask("prefill", number, prompt, CHUNK)
            first = prefill.answer()
            moved = decode.answer()
            decode.ask("generate", number, TOKENS, first, STEPS)
            answers.append(decode.answer())
            print(f"prompt {number}: {moved}", flush=True)
        with open(os.path.join(folder, "decode", "log"), encoding="utf-8") as log:
            print("".join(line for line in log if "pages " in line and " by " in line), end="")
    return answers


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m client.examples.torch_pd",
                                     description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--model", default="llama", choices=["llama", "mla"])
    parser.add_argument("--transport", default="auto")
    parser.add_argument("--role", choices=["prefill", "decode"], help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    config = Config(kind=arguments.model)
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # which that asks for
    torch.use_deterministic_algorithms(True)
    if arguments.role:
        serve(arguments.role, config, arguments.device, arguments.folder)
        return 0
    answers = handed_over(config, arguments)
    alone = in_one_process(config, device_of("prefill", arguments.device))
    same = answers == alone
    distinct = len({tuple(a) for a in answers})
    print(f"torch_pd {arguments.model} on {arguments.device}: {PROMPTS} prompts of {TOKENS} "
          f"tokens, {STEPS} generated each, {distinct} distinct answers: "
          + ("PASS, as in one process" if same else f"FAIL\n{answers}\n{alone}"))
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
