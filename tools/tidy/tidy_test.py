import os
import unittest

from tools.tidy import tidy


def _workspace() -> str:
    """The runfiles are links into the tree."""
    here = os.path.realpath(__file__)
    return os.path.dirname(os.path.dirname(os.path.dirname(here)))


class TidyTest(unittest.TestCase):
    def test_the_tree_keeps_the_house_rules(self):
        root = _workspace()
        self.assertTrue(os.path.exists(os.path.join(root, "WORKSPACE")), root)
        found, soft, files = tidy.check_tree(root)
        for line in soft:
            print("over a soft limit: " + line)
        print("%d files, %d over a soft limit" % (files, len(soft)))
        self.assertGreater(files, 50)
        self.assertEqual([], [str(f) for f in found], "\n".join([""] + [str(f) for f in found]))


if __name__ == "__main__":
    unittest.main()
