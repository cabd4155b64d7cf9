"""Engines killed while their pages are pulled. Over the stand-in a file holds the pull; over a real
driver the kill comes at a moment that nobody chose, many times."""
import os
import tempfile
import unittest

import numpy as np

import baton
from tests.gpu import bed, cache

COUNT = cache.PAGES * 3 // 4
ROUNDS = int(os.environ.get("BATON_GPU_KILLS", "3"))


class KilledTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self._hold = os.path.join(folder.name, "hold")
        os.environ["FAKE_CUDA_HOLD"] = self._hold
        self.addCleanup(os.environ.pop, "FAKE_CUDA_HOLD")

    def hold(self):
        with open(self._hold, "w", encoding="utf-8"):
            pass

    def let_go(self):
        os.unlink(self._hold)

    def test_a_killed_source_fails_the_room_and_the_target_lives_on(self):
        here = bed.Bed(self, transport="cuda")
        target = cache.Cache("gpu0")
        target.write(np.full(cache.SIZE, cache.CANARY, np.uint8))
        with here.attach(baton.Role.DECODE, target) as receiver:
            for number in range(ROUNDS):
                pages = bed.scattered(number, COUNT)
                total = COUNT * cache.PAGE_TOKENS
                self.hold()
                source = here.start_engine("prefill", "gpu0", seed=number)
                receive = receiver.open_receive(2 * number, "prefill-a", total, pages=[pages])
                bed.open_room(source, 2 * number, pages)
                bed.end(source)
                self.let_go()
                status = bed.ended(receive)
                if status.phase == baton.Phase.DONE:  # A real pull may have been faster.
                    np.testing.assert_array_equal(target.read()[:, pages],
                                                  cache.content(number)[:, pages])
                else:
                    self.assertEqual(status.phase, baton.Phase.FAILED)
                    self.assertIn("prefill-a", str(receive.cause()))
                receive.close()
                # The pages are free: the next source's room lands in them, and nothing else does.
                source = here.start_engine("prefill", "gpu0", seed=1000 + number)
                receive = receiver.open_receive(2 * number + 1, "prefill-a", total, pages=[pages])
                bed.open_room(source, 2 * number + 1, pages)
                self.assertEqual(bed.ended(receive).phase, baton.Phase.DONE, here.logs())
                np.testing.assert_array_equal(target.read()[:, pages],
                                              cache.content(1000 + number)[:, pages])
                receive.close()
                bed.end(source)

    def test_a_killed_target_fails_the_room_and_the_source_lives_on(self):
        here = bed.Bed(self, transport="cuda")
        source = cache.Cache("gpu0")
        source.write(cache.content(7))
        with here.attach(baton.Role.PREFILL, source) as sender:
            for number in range(ROUNDS):
                pages = bed.scattered(number, COUNT)
                total = COUNT * cache.PAGE_TOKENS
                self.hold()
                target = here.start_engine("decode", "gpu0")
                bed.open_room(target, number, pages)
                send = sender.open_send(number, total)
                bed.wait_offered(send)
                send.send(0, total, [pages], last=True)
                bed.end(target)
                self.let_go()
                status = bed.ended(send)
                if status.phase != baton.Phase.DONE:
                    self.assertIn("decode-a", str(send.cause()))
                send.close()
        # Its memory is given back, and the agent serves the next one.
        target = cache.Cache("gpu0")
        with here.attach(baton.Role.PREFILL, source) as sender, \
             here.attach(baton.Role.DECODE, target) as receiver:
            pages = bed.scattered(99, COUNT)
            bed.hand_over(here, sender, receiver, 1000, pages, pages)
            np.testing.assert_array_equal(target.read()[:, pages], cache.content(7)[:, pages])


if __name__ == "__main__":
    unittest.main()
