"""Runs Baton's verbs transport beside ib_write_bw in one guest of the RDMA bed, interleaved."""
import argparse
import os
import sys
import tempfile

from bench.rdma import figures
from tools.rdma_bed import in_guest
from tools.rdma_bed import uml

_SECONDS_OF_A_RUN = 12


def _latency(rounds: int, sink) -> list[str]:
    """Two guests. Prints its lines; what went wrong is returned."""
    heard = uml.run(in_guest.kernel_path(), ["bash", "bench/rdma/in_two_guests.sh", str(rounds)],
                    hosts=2, limit_s=rounds * _SECONDS_OF_A_RUN, sink=sink)
    said = figures.latency(heard[0].lines)
    print("\n".join(["", *said]))
    return [c.failure() for c in heard if c.failure()] + [s for s in said if "no figure" in s]


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="tools/bench_rdma.sh", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--match", default="", help="only cases whose size or name holds this")
    options = parser.parse_args(argv)
    what = [c for c in figures.cases() if options.match in c.name]

    def sink(host: int, line: str) -> None:
        del host
        print("  " + line, flush=True)

    with tempfile.NamedTemporaryFile("w", prefix="baton_bench_", suffix=".txt") as file:
        file.write(figures.script(what))
        file.flush()
        heard, = uml.run(in_guest.kernel_path(),
                         ["bash", "bench/rdma/in_guest.sh", str(options.rounds), file.name],
                         limit_s=options.rounds * len(what) * _SECONDS_OF_A_RUN, sink=sink)
    lines = figures.table(what, figures.read(heard.lines))
    print("\nmedians of %d interleaved rounds, one boot; load of the host now %.1f"
          % (options.rounds, os.getloadavg()[0]))
    print("\n".join(lines))
    failures = [heard.failure()] if heard.failure() else []
    failures += [line for line in lines if "no figure" in line]
    if not options.match or options.match == "latency":
        failures += _latency(options.rounds, sink)
    for failure in failures:
        print("bench-rdma: %s" % failure, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
