"""Runs a command on the RDMA bed: in a User-Mode Linux guest that sees the host's files.

The guest has two soft-RoCE devices, rxe0 and rxe1, is root, and may write anywhere: what it writes
is gone afterwards. With --hosts=2 two guests run the command, each with its number in $BED_HOST.
Exits as the command did in the guest; 125 when the guest never said.
"""
import argparse
import os
import subprocess
import sys

from tools.rdma_bed import uml

_BUILD = os.path.join(os.path.dirname(os.path.abspath(__file__)), "build_kernel.sh")


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tools/rdma_bed/in_guest", description=__doc__)
    parser.add_argument("--hosts", type=int, choices=[1, 2], default=1)
    parser.add_argument("--limit", type=int, default=60, help="seconds for the command")
    parser.add_argument("--memory", default="2G", help="of each guest")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args(argv)
    if options.command[:1] == ["--"]:
        del options.command[0]
    if not options.command:
        parser.error("no command")
    return options


def kernel_path() -> str:
    """Builds the kernel if need be."""
    built = subprocess.run([_BUILD], stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, check=True, text=True)
    return built.stdout.splitlines()[-1]


def main(argv: list[str]) -> int:
    options = _parse(argv)

    def sink(host: int, line: str) -> None:
        print("%d| %s" % (host, line) if options.hosts > 1 else line, flush=True)

    ran = uml.run(kernel_path(), options.command, hosts=options.hosts, limit_s=options.limit,
                  memory=options.memory, sink=sink)
    for console in ran:
        if console.failure():
            print("in_guest: host %d: %s" % (console.host, console.failure()), file=sys.stderr)
    return max(125 if c.status is None else c.status for c in ran)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
