"""figures: which lines are samples, and what the table says of them."""
import unittest

from bench.rdma import figures

_BASE = figures.Case("base", "perftest", "-s 1")
_CASE = figures.Case("ours", "baton", "--page=1", "base", 0.9)


class ReadTest(unittest.TestCase):
    def test_samples_belong_to_the_case_before_them(self):
        found = figures.read(["@case base", "perftest 100.0", "@case ours", "a log line",
                              "baton 90.5 1.25", "@case base", "perftest 110"])
        self.assertEqual(found["base"].mib_per_s, [100.0, 110.0])
        self.assertEqual(found["ours"].mib_per_s, [90.5])
        self.assertEqual(found["ours"].cpu_ns_per_byte, [1.25])

    def test_a_run_that_perftest_spoiled_is_no_sample(self):
        found = figures.read(["@case base", "perftest printed '0.00', try 1", "perftest 100"])
        self.assertEqual(found["base"].mib_per_s, [100.0])


class TableTest(unittest.TestCase):
    def rows(self, ours):
        found = {"base": figures.Samples([90.0, 100.0, 110.0]), "ours": figures.Samples([ours])}
        return figures.table([_BASE, _CASE], found)

    def test_a_ratio_is_of_medians_and_is_held_against_the_target(self):
        self.assertRegex(self.rows(90.0)[2], r"0\.90 +>= 0\.90 ok$")
        self.assertRegex(self.rows(89.0)[2], r"0\.89 +>= 0\.90 MISSED$")

    def test_a_case_without_a_sample_says_so(self):
        self.assertIn("no figure", figures.table([_CASE], {})[1])

    def test_every_case_of_ours_has_a_baseline_that_runs_before_it(self):
        seen = set()
        for case in figures.cases():
            if case.side in ("baton", "raw"):
                self.assertIn(case.baseline, seen)
            seen.add(case.name)


class LatencyTest(unittest.TestCase):
    def said(self, *lines):
        return "\n".join(figures.latency(list(lines)))

    def test_the_ratio_is_of_the_medians(self):
        said = self.said("perftest 60.0 50.0 90.0", "baton 130.0 100.0 200.0",
                         "engines 300.0 250.0 900.0")
        self.assertRegex(said, r"130\.0 us, 99 % in 200\.0 us; ratio 2\.17, <= 2 MISSED\n")
        self.assertRegex(said, r"engine to engine +300\.0 us, 99 % in 900\.0 us$")

    def test_a_baseline_of_a_busy_host_does_not_count(self):
        said = self.said("perftest 400.0 1 1", "baton 90.0 1 1", "engines 3 2 4")
        self.assertIn("does not count", said)

    def test_silence_and_times_of_two_clocks_are_no_figure(self):
        said = self.said("perftest 60.0 1 1", "engines discarded: the guests' counters")
        self.assertIn("no figure of baton, engines", said)


if __name__ == "__main__":
    unittest.main()
