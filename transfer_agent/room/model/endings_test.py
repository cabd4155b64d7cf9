"""Every history of room.pml is finite, with all its budgets at once: no state is ever come back to.

Together with Monitor (where nothing can happen any more, both sides have ended: model_test) that is
BothSidesLearn, and without any assumption of fairness. Spin looks for cycles without progress; the
model marks nothing as progress, so that each cycle is one. docs/design/room-model.md has the
reasoning.
"""
import unittest

from transfer_agent.room.model import search


class EndingsTest(search.Search):
    def circles(self, *defines: str) -> search.Result:
        self.build(defines, ("-DNOCLAIM", "-DNP"))
        return self.search("-l", "-w24")

    def test_every_history_ends_under_all_budgets_at_once(self):
        result = self.circles(*search.ALL)
        self.assertEqual(result.errors, 0, result.output)
        self.assertGreater(result.states, 5000000)
        print("verbs: %d states, none of them twice in a history" % result.states)

    def test_every_history_ends_where_the_target_writes_for_itself(self):
        result = self.circles("LOCAL=1", "RENEWALS=0")
        self.assertEqual(result.errors, 0, result.output)
        self.assertGreater(result.states, 300000)
        print("tcp and shm: %d states, none of them twice in a history" % result.states)

    def test_a_history_without_an_end_would_be_found(self):
        result = self.circles("LOSSES=0", "CUTS=0", "RENEWALS=0", "ENDLESS")
        self.assertGreater(result.errors, 0)


if __name__ == "__main__":
    unittest.main()
