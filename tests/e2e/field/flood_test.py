"""Rooms that all fail at once: the log stays readable."""
import re
import unittest

from tests.e2e.field import fleet
from tests.programs import program

_ROOMS = 400


class FloodTest(fleet.FieldTest):
    def test_failing_rooms_write_ten_lines_a_second_and_say_how_many_they_left_out(self):
        bootstrap = self.bootstrap()
        p = self.agent("p", bootstrap.address())
        source = self.engine(p, role="prefill", server="prefill-a", slots=2 * _ROOMS)
        for i in range(_ROOMS):
            source.ok("open-send", "r%d" % i, id=i, ms=60000)
        for i in range(_ROOMS):
            source.ok("abort", "r%d" % i, why="flood")
        for i in range(_ROOMS):
            self.assertIn("ABORTED: flood", source.ok("wait", "r%d" % i))

        def left_out() -> int:
            counts = re.findall(r"(\d+) more lines? (?:was|were) kept back", p.log())
            return sum(int(count) for count in counts)

        def printed() -> list[str]:
            return [line for line in p.log().splitlines()
                    if " failed on " in line and "kept back" not in line]

        program.eventually(lambda: len(printed()) + left_out() == _ROOMS, "each room is counted")
        self.assertIn("room 0", printed()[0])
        seconds = {}
        for line in p.log().splitlines():
            if line[:1] in "WE":
                second = line.split(".")[0]
                seconds[second] = seconds.get(second, 0) + 1
        self.assertLessEqual(max(seconds.values()), 10, p.log())


if __name__ == "__main__":
    unittest.main()
