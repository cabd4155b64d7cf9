"""Some named pairs of topologies, with real bytes. `demo --pair=all` runs every one."""
import os
import subprocess
import unittest

DEMO = os.path.abspath("tests/demo/demo")
LIMIT_S = 240


class PairsDemoTest(unittest.TestCase):
    def check(self, *pairs: str):
        result = subprocess.run([DEMO, "--pair=" + ",".join(pairs)], capture_output=True,
                                text=True, timeout=LIMIT_S, check=False)
        lines = [line for line in result.stdout.splitlines() if line.strip()]
        self.assertTrue(lines[-1].startswith("demo: PASS "), result.stdout + result.stderr)

    def test_the_seed_with_its_136_ranks(self):
        self.check("seed")

    def test_sizes_that_do_not_divide(self):
        self.check("tp-uneven", "pp-uneven", "cp-3-to-2")

    def test_context_parallelism_on_both_sides(self):
        self.check("cp-zigzag-to-token", "cp-layers-to-page")

    def test_pages_shared_out_over_tp(self):
        self.check("pages-over-tp", "pages-over-cp-tp")

    def test_dp_ranks_found_by_room(self):
        self.check("dp-2-to-3")

    def test_pages_and_pools_that_differ(self):
        self.check("page-16-to-64", "pool-cross-to-head")

    def test_page_groups_and_states(self):
        self.check("window", "hybrid-pp")

    def test_everything_at_once(self):
        self.check("mixed", "mixed-mla")


if __name__ == "__main__":
    unittest.main()
