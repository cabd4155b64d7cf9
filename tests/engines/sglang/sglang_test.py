"""SGLang's own engines, unchanged, over real agents: what one engine generates, a pair does too."""
import os
import unittest

from tests.engines.sglang import shared
from tests.engines.sglang.failures import FailuresTest
from tests.engines.sglang.guides import GuidesTest
from tests.engines.sglang.hand_overs import HandOversTest, OverSharedMemoryTest
from tests.engines.sglang.pages_last import PagesLastTest
from tests.engines.sglang.pipelines import PipelinesTest
from tests.engines.sglang.restarts import RestartsTest
from tests.engines.sglang.routers import RoutersTest

# The order in which they run: what ends processes comes last.
CASES = (HandOversTest, RoutersTest, FailuresTest, PipelinesTest, PagesLastTest, RestartsTest,
         OverSharedMemoryTest, GuidesTest)


class _OnOneBed(unittest.TestSuite):
    def run(self, result, debug=False):
        with shared.one(result):
            return super().run(result, debug)


def load_tests(loader, _tests, _pattern):
    wanted = [word for word in os.environ.get("SGLANG_CASES", "").split(",") if word]
    chosen = [case for case in CASES if not wanted or case.__name__ in wanted]
    return _OnOneBed(loader.loadTestsFromTestCase(case) for case in chosen)
