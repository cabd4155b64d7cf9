"""Equal shapes, other weights."""
import unittest

from tests.e2e.field import fleet


class ModelTest(fleet.FieldTest):
    def rooms_of(self, prefill: dict, decode: dict) -> str:
        bootstrap = self.bootstrap()
        p = self.agent("p", bootstrap.address())
        d = self.agent("d", bootstrap.address())
        source = self.engine(p, role="prefill", server="prefill-a", **prefill)
        target = self.engine(d, role="decode", server="decode-a", **decode)
        return self.hand_over(source, target)

    def test_two_models_of_one_shape_are_refused_by_name(self):
        said = self.rooms_of({"model": "m@r1"}, {"model": "m@r2"})
        self.assertIn("failed", said)
        self.assertIn("INCOMPATIBLE: model of prefill-a is m@r1, of decode-a m@r2", said)

    def test_two_revisions_of_one_model_are_refused_by_name(self):
        said = self.rooms_of({"label": "revision:r1"}, {"label": "revision:r2"})
        self.assertIn("INCOMPATIBLE: label revision of prefill-a is r1, of decode-a r2", said)

    def test_a_revision_that_one_side_does_not_say_fits(self):
        self.assertIn("done", self.rooms_of({"label": "revision:r1"}, {}))


if __name__ == "__main__":
    unittest.main()
