"""Rooms between pools in GPU memory, with real agents and engines. With the stand-in driver on
LD_LIBRARY_PATH it needs no GPU; make test-gpu runs it over the real one."""
import os
import tempfile
import unittest

import numpy as np

import baton
from tests.gpu import bed, cache
from tests.programs import program

COUNT = cache.PAGES * 3 // 4


class RoomsTest(unittest.TestCase):
    def test_every_byte_lands_wherever_the_pools_are(self):
        """Pools of cudaMalloc and of the driver's own allocations, on one GPU and two, and host
        memory on one side; nothing is written beside the room's pages."""
        here = bed.Bed(self)
        for number, (source_place, target_place) in enumerate((
                ("gpu0", "gpu0"), ("gpu0", "gpu1"), ("mapped0", "gpu1"), ("gpu1", "mapped0"),
                ("host", "gpu0"), ("gpu0", "host"))):
            with self.subTest(source=source_place, target=target_place):
                source, target = cache.Cache(source_place), cache.Cache(target_place)
                sent = cache.content(number)
                source.write(sent)
                expected = np.full_like(sent, cache.CANARY)
                target.write(expected)
                with here.attach(baton.Role.PREFILL, source) as sender, \
                     here.attach(baton.Role.DECODE, target) as receiver:
                    for room in range(3):
                        from_pages = bed.scattered(10 * number + room, COUNT)
                        to_pages = bed.scattered(100 + 10 * number + room, COUNT)
                        bed.hand_over(here, sender, receiver, 10 * number + room, from_pages,
                                      to_pages)
                        expected[:, to_pages] = sent[:, from_pages]
                    np.testing.assert_array_equal(target.read(), expected)
                    np.testing.assert_array_equal(source.read(), sent)
        self.assertIn("pages go by cuda (same host)", here.agents["decode"].log())
        self.assertNotIn("go by tcp", here.logs())

    def test_host_pools_go_by_shm_beside_it(self):
        here = bed.Bed(self)
        source, target = cache.Cache("host"), cache.Cache("host")
        source.write(cache.content(1))
        with here.attach(baton.Role.PREFILL, source) as sender, \
             here.attach(baton.Role.DECODE, target) as receiver:
            pages = bed.scattered(1, COUNT)
            bed.hand_over(here, sender, receiver, 1, pages, pages)
        np.testing.assert_array_equal(target.read()[:, pages], cache.content(1)[:, pages])
        self.assertIn("pages go by shm (same host)", here.agents["decode"].log())

    @unittest.skipIf("BATON_GPU_PAGES" in os.environ, "a real driver cannot be held")
    def test_memory_that_is_slow_to_map_delays_no_other_room(self):
        """A peer's pool is mapped when it is first pulled from: not on the worker's thread."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        hold = os.path.join(folder.name, "hold")
        os.environ["FAKE_CUDA_HOLD_MAPS"] = hold
        self.addCleanup(os.environ.pop, "FAKE_CUDA_HOLD_MAPS")
        here = bed.Bed(self, workers="1")
        places = {"a": ("gpu0", "gpu0"), "b": ("host", "host")}
        engines = {}
        for server, (source_place, target_place) in places.items():
            source, target = cache.Cache(source_place), cache.Cache(target_place)
            source.write(cache.content(3))
            engines[server] = (here.attach(baton.Role.PREFILL, source, server),
                               here.attach(baton.Role.DECODE, target, server), target)
        with open(hold, "w", encoding="utf-8"):
            pass
        pages = bed.scattered(3, COUNT)
        total = COUNT * cache.PAGE_TOKENS
        sender, receiver, target = engines["a"]
        receive = receiver.open_receive(1, "prefill-a", total, pages=[pages])
        sender.open_send(1, total).send(0, total, [pages], last=True)
        for number in range(2, 12):
            bed.hand_over(here, *engines["b"][:2], number, pages, pages, server="b")
        self.assertFalse(receive.poll().ended)
        os.unlink(hold)
        self.assertEqual(bed.ended(receive).phase, baton.Phase.DONE, receive.cause())
        np.testing.assert_array_equal(target.read()[:, pages], cache.content(3)[:, pages])

    def test_agents_are_restarted_and_rooms_go_on(self):
        here = bed.Bed(self, transport="cuda")
        source, target = cache.Cache("gpu0"), cache.Cache("gpu0")
        source.write(cache.content(2))
        with here.attach(baton.Role.PREFILL, source) as sender, \
             here.attach(baton.Role.DECODE, target) as receiver:
            number = 0
            for name, engine in (("decode", receiver), ("prefill", sender), ("decode", receiver)):
                pages = bed.scattered(number, COUNT)
                epoch = engine.agent_epoch
                here.kill_agent(name)
                here.start_agent(name)
                program.eventually(lambda: engine.attached and engine.agent_epoch != epoch,
                                   "attached anew")
                number = self._first_room_that_lands(here, sender, receiver, number + 1, pages)
                np.testing.assert_array_equal(target.read()[:, pages],
                                              cache.content(2)[:, pages])

    def _first_room_that_lands(self, here, sender, receiver, number, pages) -> int:
        """A room that was opened before the others knew of the new agent may fail, by name."""
        total = len(pages) * cache.PAGE_TOKENS
        for number in range(number, number + 50):
            # Of one that failed on one side alone the other's deadline is the end.
            receive = receiver.open_receive(number, "prefill-a", total, pages=[pages],
                                            time_left=5)
            send = sender.open_send(number, total, time_left=5)
            try:
                send.send(0, total, [pages], last=True)
            except baton.BatonError:
                pass  # It has failed: its phase says so.
            phases = [bed.ended(room).phase for room in (receive, send)]
            if phases == [baton.Phase.DONE] * 2:
                return number
        raise AssertionError("no room lands any more:\n" + here.logs())


if __name__ == "__main__":
    unittest.main()
