"""What the Python client's calls cost an engine's thread, with real agents on loopback.

    tools/bench_python

Targets are those of a scheduler's step: a chunk is submitted in 10 us, 512 rooms are read in 20 us.
"""
import statistics
import sys
import time
import unittest

import numpy as np

from client.python.tests import pairs

ROOMS = 512
CHUNK_PAGES = 1000
ROUNDS = 7


def rounds_of(call, times: int) -> tuple[float, float]:
    """Median and worst of the rounds' means, in microseconds."""
    means = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(times):
            call()
        means.append((time.perf_counter() - began) / times * 1e6)
    return statistics.median(means), max(means)


class Bench:
    """A pair of agents whose engines are ours."""

    def __init__(self, test: unittest.TestCase):
        self._pair = pairs.Pair(test)
        self._pages = np.arange(CHUNK_PAGES, dtype=np.int32) % pairs.PAGES
        self._tokens = 0

    def poll(self):
        """Rooms that wait, as most do in most steps."""
        rooms = self._pair.target.poll_set()
        for number in range(ROOMS):
            rooms.add(self._pair.target.open_receive(number, "prefill-a", 16, pages=[[1]]))
        rooms.poll()
        return "poll 512 rooms", 20.0, rounds_of(rooms.poll, 2000)

    def submit(self):
        """A prefill's chunks, before any offer: the agent reads them and holds them."""
        room = self._pair.source.open_send(1 << 40, 10**9)

        def send():
            begin, self._tokens = self._tokens, self._tokens + CHUNK_PAGES * pairs.PAGE_TOKENS
            room.send(begin, self._tokens, [self._pages])
        # The agent keeps up, as it does between two steps of an engine.
        took = []
        for _ in range(ROUNDS * 20):
            began = time.perf_counter()
            send()
            took.append((time.perf_counter() - began) * 1e6)
        return "submit a chunk of 1 000 pages", 10.0, (statistics.median(took), max(took))

    def submit_asleep(self):
        """The same when the agent's worker sleeps: the kernel's wake-up is in it."""
        room = self._pair.source.open_send(2 << 40, 10**9)
        took = []
        for number in range(ROUNDS * 20):
            time.sleep(0.002)
            begin = number * CHUNK_PAGES * pairs.PAGE_TOKENS
            began = time.perf_counter()
            room.send(begin, begin + CHUNK_PAGES * pairs.PAGE_TOKENS, [self._pages])
            took.append((time.perf_counter() - began) * 1e6)
        return "the same, the agent's worker asleep", None, (statistics.median(took), max(took))


def main() -> int:
    test = unittest.TestCase()
    print("%-40s %10s %10s %10s" % ("what", "target us", "median us", "worst us"))
    try:
        bench = Bench(test)
        for row in (bench.poll, bench.submit, bench.submit_asleep):
            what, target, (median, worst) = row()
            missed = "" if target is None or median <= target else "  MISSED"
            print("%-40s %10s %10.1f %10.1f%s" % (what, target or "", median, worst, missed),
                  flush=True)
    finally:
        test.doCleanups()
    return 0


if __name__ == "__main__":
    sys.exit(main())
