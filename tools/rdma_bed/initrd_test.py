"""initrd: a module comes after what it needs."""
import unittest

from tools.rdma_bed import initrd


class ModuleOrderTest(unittest.TestCase):
    def test_each_module_comes_once_and_after_what_it_needs(self):
        needs = {"rdma_rxe": ["ib_core", "udp_tunnel"], "ib_uverbs": ["ib_core"]}
        order = initrd.module_order(["rdma_rxe", "ib_uverbs"], lambda name: needs.get(name, []))
        self.assertEqual(order, ["ib_core", "udp_tunnel", "rdma_rxe", "ib_uverbs"])


if __name__ == "__main__":
    unittest.main()
