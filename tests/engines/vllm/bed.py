"""What the suites share: the cached installation, and pairs of engines that live for one class."""
import os
import tempfile
import unittest

from tests.engines.vllm.agents import Cluster
from tests.engines.vllm.pair import Pair


def model(name: str) -> str:
    """A tiny model that tools/engines/vllm_install.sh has made."""
    return os.path.join(os.environ["BATON_ENGINE"], "models", name)


class PairTest(unittest.TestCase):
    """A subclass says which engines it needs."""

    MODEL = "gqa"
    TRANSPORT = "tcp"
    POLICY = "fail"
    PREFILL: dict = {}
    DECODE: dict = {}

    pair: Pair

    @classmethod
    def setUpClass(cls) -> None:
        folder = tempfile.TemporaryDirectory(prefix="baton-vllm-")
        cls.addClassCleanup(folder.cleanup)
        cls.cluster = Cluster(folder.name, cls.TRANSPORT)
        cls.addClassCleanup(cls.cluster.close)
        cls.pair = Pair(folder.name, cls.cluster, model(cls.MODEL), cls.PREFILL, cls.DECODE,
                        cls.POLICY)
        cls.addClassCleanup(cls.pair.kill)
        cls.pair.wait_up()

    @classmethod
    def tearDownClass(cls) -> None:
        broken = cls.pair.close()
        if any(broken.values()):
            raise AssertionError("pages that nobody had were written to: %s" % broken)

    def assert_handed_off(self, words: list[int], tokens: int = 8) -> None:
        """Tokens as the prefill engine makes them alone, and pages as they left it."""
        legs, made, why = self.pair.hand_off(words, tokens)
        self.assertEqual(why, "length", self.pair.decode.text()[-2000:])
        self.assertEqual(self.pair.difference(legs), "", "%d tokens" % len(words))
        self.assertEqual(made, self.pair.oracle(words, tokens), "%d tokens" % len(words))

    def assert_log(self, engine, *texts: str) -> None:
        log = engine.text()
        for text in texts:
            self.assertRegex(log, text)
