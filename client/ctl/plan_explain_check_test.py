"""Runs `plan explain` on two examples and checks every byte of its answer independently."""
import json
import subprocess
import unittest

from client.ctl import plan_explain_check

_PROGRAM = "client/ctl/plan_explain_main"
_EXAMPLES = "docs/examples/"


def explain(prefill, decode, *words):
    command = [_PROGRAM, "--prefill", _EXAMPLES + prefill, "--decode", _EXAMPLES + decode]
    done = subprocess.run(command + list(words), capture_output=True, text=True, check=True)
    return done.stdout


class PlanExplain(unittest.TestCase):
    def assert_exact(self, *words):
        plan = json.loads(explain(*words, "--expand", "-o", "json"))
        problems, cells = plan_explain_check.check(plan)
        self.assertEqual(problems[:5], [])
        self.assertGreater(cells, 1000)
        return plan

    def test_every_byte_goes_once_from_sglang_pages_to_vllm_pages(self):
        self.assert_exact("llama3_8b_pp2_cp2_tp2.txtpb", "llama3_8b_tp4_head_major.txtpb",
                          "--tokens", "37", "--prefix", "5")

    def test_every_byte_goes_once_when_holders_share_the_work(self):
        self.assert_exact("llama3_8b_pp2_cp2_tp2.txtpb", "llama3_8b_tp2.txtpb", "--tokens", "20",
                          "--tp-holder", "spread", "--cp-holder", "spread")

    def test_every_byte_goes_once_to_interleaved_decode_ranks(self):
        self.assert_exact("deepseek_v3_tp8.txtpb", "deepseek_v3_cp4_interleaved.txtpb", "--tokens",
                          "70")

    def test_every_byte_goes_once_from_ranks_that_share_out_the_pages(self):
        self.assert_exact("deepseek_v3_tp4_pages.txtpb", "deepseek_v3_tp8.txtpb", "--tokens", "300",
                          "--prefix", "70")

    def test_the_checker_notices_a_row_that_is_missing_doubled_or_moved(self):
        plan = self.assert_exact("qwen3_235b_pp4_tp4.txtpb", "qwen3_235b_tp8.txtpb", "--tokens",
                                 "3")
        rows = plan["rows"]
        for broken in (rows[1:], rows + rows[:1],
                       [dict(rows[0], source_offset=rows[0]["source_offset"] + 1)] + rows[1:]):
            problems, _ = plan_explain_check.check(dict(plan, rows=broken))
            self.assertNotEqual(problems, [])

    def test_the_table_names_every_pair_and_the_spare_sources(self):
        table = explain("deepseek_v3_pp2_cp8_tp8.txtpb", "deepseek_v3_tp8.txtpb")
        self.assertIn("dp0/pp1/cp0/tp7    dp0/pp0/cp0/tp7", table)
        self.assertIn("16 pairs", table)
        self.assertIn("Spare sources: dp0/pp0/cp1/tp0", table)

    def test_a_pair_that_cannot_work_is_refused_with_field_and_values(self):
        done = subprocess.run(
            [_PROGRAM, "--prefill", _EXAMPLES + "llama3_8b_tp2.txtpb", "--decode",
             _EXAMPLES + "qwen3_235b_tp8.txtpb"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("tensor K: heads: source has 8, target has 4", done.stderr)


if __name__ == "__main__":
    unittest.main()
