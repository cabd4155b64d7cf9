"""uml: the command line of a guest's kernel."""
import unittest

from tools.rdma_bed import uml


class KernelArgumentsTest(unittest.TestCase):
    def test_a_single_host_has_no_wire(self):
        arguments = uml.kernel_arguments(1, 1, "2G", "/scratch", [])
        self.assertIn("mem=2G", arguments)
        self.assertIn("bed_hosts=1", arguments)
        self.assertFalse([a for a in arguments if a.startswith("vec")])

    def test_each_end_of_each_wire_has_its_own_address(self):
        ends = [a for host in (1, 2)
                for a in uml.kernel_arguments(host, 2, "1G", "/scratch", [host * 10, host * 10 + 1])
                if a.startswith("vec")]
        self.assertEqual([a.split(":")[0] for a in ends], ["vec0", "vec1"] * 2)
        self.assertEqual(len({a.split("mac=")[1] for a in ends}), 4)
        self.assertIn("fd=21", ends[3])


if __name__ == "__main__":
    unittest.main()
