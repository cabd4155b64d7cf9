"""A bootstrap service, two agents and two engines on this machine: one prompt changes hands.

    python -m baton.demo [--transport=tcp|shm] [--rooms=N]

Each engine is a process of its own with a small cache in memory of its own. The target checks every
byte. Nothing but loopback is used, and everything ends with the command.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time

import numpy as np

import baton
from baton.programs import path

LAYERS, HEADS, HEAD_BYTES, PAGE_TOKENS, PAGES = 4, 8, 256, 16, 512
PAGE_BYTES = PAGE_TOKENS * HEADS * HEAD_BYTES
TENSORS = (baton.Kind.K, baton.Kind.V)
POOL_BYTES = len(TENSORS) * LAYERS * PAGES * PAGE_BYTES
PROMPT_PAGES = 64
TOKENS = PROMPT_PAGES * PAGE_TOKENS
START_SECONDS = 20.0


def attach(folder: str, role: baton.Role, pool: baton.HostPool) -> baton.Engine:
    """An engine with K and V of four layers, pages of 16 tokens, all in one pool."""
    layers = list(range(LAYERS))
    spec = baton.ServerSpec(
        stages=[layers],
        page_groups=[baton.PageGroup(PAGE_TOKENS)],
        tensors=[
            baton.TensorSpec(kind, layers, "bf16", HEAD_BYTES, heads=HEADS) for kind in TENSORS
        ],
    )
    layout = [
        baton.Buffer(
            tensor,
            layer,
            PAGES,
            PAGE_BYTES,
            HEADS * HEAD_BYTES,
            HEAD_BYTES,
            offset=(tensor * LAYERS + layer) * PAGES * PAGE_BYTES,
        )
        for tensor in range(len(TENSORS))
        for layer in layers
    ]
    name = role.name.lower()
    return baton.Engine(
        agent_socket=os.path.join(folder, name, "attach.sock"),
        server=f"{name}-a",
        launch_id=str(os.getpid()),
        role=role,
        model="demo",
        spec=spec,
        layout=layout,
        regions=[pool.region()],
        attach_timeout=START_SECONDS,
    )


def pages_of(room: int, role: baton.Role) -> np.ndarray:
    """Scattered pages, others on each side."""
    generator = np.random.default_rng([room, role])
    return generator.permutation(PAGES)[:PROMPT_PAGES].astype(np.int32)


def content_of(room: int) -> np.ndarray:
    """What the prefill 'computes': [tensor and layer, page, byte]."""
    generator = np.random.default_rng(room)
    shape = (len(TENSORS) * LAYERS, PROMPT_PAGES, PAGE_BYTES)
    return generator.integers(0, 256, shape, np.uint8)


def wait(room: baton.Room, until) -> baton.RoomStatus:
    """Polls as a scheduler would; an engine does other work meanwhile."""
    while not until(status := room.poll()):
        time.sleep(0)
    return status


def finish(room: baton.Room) -> None:
    """Ends this process with the cause of a room that failed."""
    status = wait(room, lambda s: s.ended and s.released)
    if status.phase != baton.Phase.DONE:
        sys.exit(f"{room}: {room.cause()}")
    room.close()


def prefill(folder: str, rooms: int) -> None:
    """The source: fills its pages, then sends them in two chunks."""
    with baton.HostPool(POOL_BYTES) as pool, attach(folder, baton.Role.PREFILL, pool) as engine:
        memory = pool.numpy().reshape(len(TENSORS) * LAYERS, PAGES, PAGE_BYTES)
        for number in range(rooms):
            room = engine.open_send(number, TOKENS)
            pages = pages_of(number, baton.Role.PREFILL)
            memory[:, pages] = content_of(number)
            half = PROMPT_PAGES // 2
            room.send(0, TOKENS // 2, [pages[:half]])
            room.send(TOKENS // 2, TOKENS, [pages[half:]], last=True)
            finish(room)
        del memory


def decode(folder: str, rooms: int) -> None:
    """The target: offers its pages, and checks every byte once they have landed."""
    with baton.HostPool(POOL_BYTES) as pool, attach(folder, baton.Role.DECODE, pool) as engine:
        memory = pool.numpy().reshape(len(TENSORS) * LAYERS, PAGES, PAGE_BYTES)
        for number in range(rooms):
            pages = pages_of(number, baton.Role.DECODE)
            room = engine.open_receive(number, "prefill-a", TOKENS, pages=[pages])
            finish(room)
            if not np.array_equal(memory[:, pages], content_of(number)):
                sys.exit(f"{room}: wrong bytes in pages {pages}")
        del memory
    moved = rooms * len(TENSORS) * LAYERS * PROMPT_PAGES * PAGE_BYTES
    print(f"{rooms} rooms of {TOKENS} tokens, {moved >> 20} MiB, every byte checked", flush=True)


class Programs:
    """Baton's programs, each with a log in `folder`; all end with the `with` block."""

    def __init__(self, folder: str, stack: contextlib.ExitStack) -> None:
        self._folder, self._stack = folder, stack

    def start(self, program: str, name: str, **flags: str) -> str:
        """The address that it listens at."""
        place = os.path.join(self._folder, name)
        os.mkdir(place)
        port = os.path.join(place, "port")
        words = [f"--{flag}={value}" for flag, value in flags.items()]
        words += [f"--{what}=127.0.0.1:0" for what in ("listen", "admin_listen", "probe_listen")]
        log = self._stack.enter_context(open(os.path.join(place, "log"), "w+"))
        process = subprocess.Popen(
            [path(program), *words, f"--port_file={port}"], stdout=log, stderr=log
        )
        self._stack.callback(process.wait)
        self._stack.callback(process.terminate)
        ends = time.monotonic() + START_SECONDS
        while not os.path.exists(port):
            if process.poll() is not None or time.monotonic() > ends:
                log.seek(0)
                sys.exit(f"{program} does not start:\n{log.read()}")
            time.sleep(0.01)
        with open(port) as file:
            return file.read().strip()


def run(transport: str, rooms: int) -> int:
    """0 when both engines end well."""
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="baton-"))
        programs = Programs(folder, stack)
        bootstrap = programs.start("baton-bootstrap", "bootstrap", settle="none")
        for name in ("prefill", "decode"):
            sockets = {f"{s}_socket": os.path.join(folder, name, f"{s}.sock") for s in
                       ("attach", "service")}
            programs.start("baton-agent", name, bootstrap=bootstrap, transport=transport, **sockets)
        print(f"bootstrap service at {bootstrap}, two agents, transport {transport}", flush=True)
        engines = [
            subprocess.Popen([sys.executable, "-m", "baton.demo", f"--role={role}",
                              f"--folder={folder}", f"--rooms={rooms}"])
            for role in ("prefill", "decode")
        ]
        ended = [engine.wait() for engine in engines]
    print("demo: %s in %.1f s" % ("FAIL" if any(ended) else "PASS", time.monotonic() - began))
    return 1 if any(ended) else 0


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m baton.demo", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--transport", default="tcp", choices=["tcp", "shm"])
    parser.add_argument("--rooms", type=int, default=20)
    parser.add_argument("--role", choices=["prefill", "decode"], help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.role is None:
        return run(arguments.transport, arguments.rooms)
    {"prefill": prefill, "decode": decode}[arguments.role](arguments.folder, arguments.rooms)
    return 0


if __name__ == "__main__":
    sys.exit(main())
