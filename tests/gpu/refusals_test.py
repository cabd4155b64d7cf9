"""What cannot work is refused by name, and nothing slower is taken in silence. Over the stand-in,
which can be made to lack things."""
import os
import tempfile
import unittest

import baton
from tests.gpu import bed, cache
from tests.programs import program


class RefusalsTest(unittest.TestCase):
    def refused(self, here: bed.Bed, role: baton.Role, place: str) -> str:
        with self.assertRaises(baton.BatonError) as raised:
            here.attach(role, cache.Cache(place))
        return str(raised.exception)

    def failed(self, here: bed.Bed, source_place: str, target_place: str) -> str:
        """The cause of a room that cannot go anywhere."""
        source, target = cache.Cache(source_place), cache.Cache(target_place)
        with here.attach(baton.Role.PREFILL, source) as sender, \
             here.attach(baton.Role.DECODE, target) as receiver:
            sender.open_send(1, cache.PAGE_TOKENS)
            room = receiver.open_receive(1, "prefill-a", cache.PAGE_TOKENS, pages=[[3]])
            self.assertEqual(bed.ended(room).phase, baton.Phase.FAILED)
            return str(room.cause())

    def test_gpus_without_peer_access_are_named_with_both_numbers(self):
        cause = self.failed(bed.Bed(self, fakes={"decode": "no_peer"}), "gpu0", "gpu1")
        self.assertIn("NO_TRANSPORT", cause)
        self.assertIn("GPU 1 has no peer access to GPU 0, GPU-fafafafa-", cause)
        self.assertIn("nvidia-smi topo -p2p r", cause)

    def test_instances_of_mig_are_named(self):
        cause = self.failed(bed.Bed(self, fakes={"decode": "mig"}), "gpu0", "gpu1")
        self.assertIn("instances of MIG cannot read one another's memory", cause)

    def test_a_gpu_that_the_targets_agent_does_not_see_is_named_at_attach(self):
        cause = self.refused(bed.Bed(self, fakes={"decode": "hidden"}), baton.Role.DECODE, "gpu1")
        self.assertIn("the pool is on GPU-fafafafa-", cause)
        self.assertIn("does not see: show it to its container (NVIDIA_VISIBLE_DEVICES)", cause)

    def test_a_sources_gpu_that_the_targets_agent_does_not_see_is_named_in_the_room(self):
        cause = self.failed(bed.Bed(self, fakes={"decode": "hidden"}), "gpu1", "gpu0")
        self.assertIn("the pool is on GPU-fafafafa-", cause)
        self.assertIn("does not see: show it to its container", cause)

    def test_an_agent_without_the_transport_takes_no_gpu_pool(self):
        cause = self.refused(bed.Bed(self, transport="tcp"), baton.Role.PREFILL, "gpu0")
        self.assertIn("tcp cannot move GPU memory", cause)
        self.assertIn("--transport=cuda", cause)

    def test_a_driver_that_is_too_old_is_off_with_auto_and_says_so_at_attach(self):
        here = bed.Bed(self, fakes={"prefill": "old"})
        self.assertIn("transport cuda is off: the CUDA driver is too old: it is of CUDA 12.8",
                      here.agents["prefill"].log())
        self.assertIn("this agent can do neither",
                      self.refused(here, baton.Role.PREFILL, "gpu0"))

    def test_what_was_asked_for_by_name_and_is_not_there_ends_the_agent(self):
        for fake, words in (("old", "transport cuda needs that of CUDA 13.0"),
                            ("no_gpu", "shows no GPU to this process")):
            with self.subTest(fake=fake), tempfile.TemporaryDirectory() as folder:
                os.environ["FAKE_CUDA"] = fake
                self.addCleanup(os.environ.pop, "FAKE_CUDA", None)
                agent = program.start_agent(self, folder, bootstrap="127.0.0.1:1",
                                            transport="cuda")
                self.assertNotEqual(agent.wait(), 0)
                self.assertIn(words, agent.log())

    def test_checksums_and_cuda_do_not_go_together(self):
        with tempfile.TemporaryDirectory() as folder:
            agent = program.start_agent(self, folder, bootstrap="127.0.0.1:1", transport="cuda",
                                        checksums="true")
            self.assertNotEqual(agent.wait(), 0)
            self.assertIn("--checksums with --transport=cuda", agent.log())

    def test_memory_that_the_driver_does_not_lend_is_refused_with_its_word(self):
        os.environ["FAKE_CUDA"] = "no_ipc"
        self.addCleanup(os.environ.pop, "FAKE_CUDA", None)
        own = cache.Cache("gpu0")
        self.assertEqual(own.pool.lent, "")
        self.assertIn("the driver says CUDA_ERROR_INVALID_VALUE", own.pool.missing)
        here = bed.Bed(self, transport="cuda")
        with self.assertRaises(baton.BatonError) as raised:
            here.attach(baton.Role.PREFILL, own)
        self.assertIn("cuda: region 0 is GPU memory that came without a CUDA handle",
                      str(raised.exception))


if __name__ == "__main__":
    unittest.main()
