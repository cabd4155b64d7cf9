"""Runs programs on Debian's own kernel under emulation: two CPUs and not one changed line, at some
hundredth of a machine's speed. All programs share one boot."""
import glob
import os
import shlex
import signal
import subprocess
import tempfile

from tools.rdma_bed import console
from tools.rdma_bed import initrd
from tools.rdma_bed import table

_BOOT_S = 60


def script(entries: list[table.Entry]) -> str:
    """What the guest runs: each program between lines by which the host tells them apart."""
    lines = ["cd /baton"]
    for number, entry in enumerate(entries):
        lines += ["echo '@bed begin %d'" % number,
                  "timeout -k 5 %d %s" % (entry.limit_s, shlex.join(entry.command())),
                  "echo \"@bed status $?\""]
    return "\n".join(lines) + "\n"


class Splitter:
    """Takes a guest's lines apart into one console for each program."""

    def __init__(self, count: int):
        self.parts = [console.Console(1) for _ in range(count)]
        self._current: console.Console | None = None

    def add(self, line: str) -> None:
        if line.startswith("@bed begin "):
            self._current = self.parts[int(line.split()[2])]
        elif self._current is not None:
            self._current.add(line)
            # What comes after is the guest's own end.
            if self._current.status is not None:
                self._current = None


def _command_line(kernel: str, initrd_path: str) -> list[str]:
    image, = glob.glob(kernel + "/boot/vmlinuz-*")
    # The CPU is an old one: the newer ones' extras cost the emulation half its speed.
    return ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none",
            "-serial", "stdio", "-no-reboot", "-nic", "none", "-m", "2048",
            "-accel", "tcg,thread=multi", "-cpu", "Nehalem", "-smp", "2",
            "-kernel", image, "-initrd", initrd_path,
            "-append", "console=ttyS0 quiet panic=-1 mitigations=off"]


def run(kernel: str, entries: list[table.Entry], sink: console.Sink) -> list[console.Console]:
    """One console for each entry, in their order; `kernel` is what debian_kernel.sh printed."""
    splitter = Splitter(len(entries))
    whole = console.Console(1)

    def split(host: int, line: str) -> None:
        splitter.add(line)
        sink(host, line)

    with tempfile.TemporaryDirectory(prefix="baton_bed_") as scratch:
        os.mkdir(scratch + "/root")
        initrd.make(scratch + "/root", scratch + "/initrd", kernel=kernel,
                    programs=sorted({e.path() for e in entries}), command=script(entries))
        guest = subprocess.Popen(_command_line(kernel, scratch + "/initrd"),
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, start_new_session=True)
        try:
            limit_s = _BOOT_S + sum(e.limit_s for e in entries)
            console.follow([guest.stdout], [whole], limit_s, split)
        finally:
            os.killpg(guest.pid, signal.SIGKILL)
            guest.wait()
    for part in splitter.parts:
        part.broken = part.broken or whole.broken
    return splitter.parts
