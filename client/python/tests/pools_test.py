"""Memory that an agent can reach: ours, and what an engine has allocated already."""
import ctypes
import logging
import mmap
import os
import unittest

import numpy as np

import baton
from client.python.tests import pairs
from tests.programs import program


class PoolsTest(unittest.TestCase):
    def test_a_pool_is_one_memory_in_all_its_shapes(self):
        pool = baton.HostPool(3 * mmap.PAGESIZE)
        self.addCleanup(pool.close)
        pool.numpy(np.int32)[1] = 7
        self.assertEqual(pool.buffer[4], 7)
        with mmap.mmap(pool.fd, pool.size) as seen:
            self.assertEqual(seen[4], 7)
        self.assertEqual(pool.region(), baton.Region(pool.fd, pool.size, "kv"))

    def test_pages_are_there_before_they_are_touched(self):
        pool = baton.HostPool(64 * mmap.PAGESIZE)
        self.addCleanup(pool.close)
        self.assertEqual(os.fstat(pool.fd).st_blocks * 512, pool.size)
        pool.numpy()[7] = 5
        pool.populate()
        self.assertEqual(os.fstat(pool.fd).st_blocks * 512, pool.size)
        self.assertEqual(pool.numpy()[7], 5)

    def test_an_array_that_exists_is_adopted_and_handed_over(self):
        pair = pairs.Pair(self)
        array = np.zeros(1 << 20, np.uint8)
        array[:] = np.random.default_rng(2).integers(0, 256, array.size)
        kept = array.copy()
        pool = baton.adopt(array.ctypes.data, array.size, neighbours=True)
        np.testing.assert_array_equal(array, kept)
        engine = pair.target_side.attach(pool.region(), pool.offset, server="adopted")
        room = engine.open_receive(1, "prefill-a", 16, pages=[[2]])
        send = pair.source.open_send(1, 16)
        program.eventually(lambda: send.poll().phase == baton.Phase.OFFERED, "an offer")
        send.send(0, 16, [[6]], last=True)
        self.assertEqual(pairs.wait_ended(room).phase, baton.Phase.DONE, room.cause())
        source = pair.source_pool.numpy().reshape(2, pairs.PAGES, -1)[:, 6]
        landed = array[:pairs.POOL_BYTES].reshape(2, pairs.PAGES, -1)[:, 2]
        np.testing.assert_array_equal(landed, source)

    def test_what_cannot_be_adopted_says_what_it_is(self):
        with mmap.mmap(-1, mmap.PAGESIZE, mmap.MAP_SHARED) as shared:
            address = ctypes.addressof(ctypes.c_char.from_buffer(shared))
            with self.assertRaises(baton.BatonError) as caught:
                baton.adopt(address, mmap.PAGESIZE)
            del address
            self.assertEqual(caught.exception.reason, "BAD_REGION")
            self.assertIn("there is a file behind it", caught.exception.text)

    def test_device_memory_without_a_driver_is_refused_by_name(self):
        with self.assertRaises(baton.BatonError) as caught:
            baton.export_cuda(1 << 30, 1 << 20)
        self.assertEqual(caught.exception.reason, "NO_TRANSPORT")


class LogTest(unittest.TestCase):
    def test_the_clients_lines_come_through_pythons_logging(self):
        with self.assertLogs("baton", logging.INFO) as logs:
            pairs.Pair(self)
        self.assertTrue(any("prefill-a[dp0/pp0/cp0/tp0] attached" in line for line in logs.output))


if __name__ == "__main__":
    unittest.main()
