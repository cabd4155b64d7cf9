"""Searches the model of the room protocol (room.pml) whole, and shows that the search can fail.

Needs spin and gcc. docs/design/room-model.md says what the model covers.
"""
import dataclasses
import re
import unittest

from transfer_agent.room.model import search

SOURCE_STATES = "transfer_agent/room/source_states.h"
TARGET_STATES = "transfer_agent/room/target_states.h"
_NONE = ("LOSSES=0", "CUTS=0", "RENEWALS=0")
_RAILS = ("LOSSES=1", "CUTS=0", "RENEWALS=0")
_RENEWAL = ("LOSSES=1", "CUTS=0", "RENEWALS=1")
_DEATH = ("LOSSES=0", "CUTS=1", "RENEWALS=0")
_LOCAL = ("LOCAL=1", "RENEWALS=0")


@dataclasses.dataclass(frozen=True)
class Planted:
    number: int
    budgets: tuple[str, ...]
    what: str


# Each is one line of room.pml.
PLANTED = (
    Planted(1, _NONE, "a fence is answered before what was posted is drained"),
    Planted(2, _RAILS, "flushed completions count as drained"),
    Planted(3, _RAILS, "destroy was called, and that is taken for a fence before it returns"),
    Planted(4, _NONE, "released without a fence"),
    Planted(5, _NONE, "slot and pages are used again before the fence is answered"),
    Planted(6, _RAILS, "a part is sent again before the target confirmed the destroy"),
    Planted(7, _RAILS, "the target confirms a destroy that has only been called"),
    Planted(8, _RENEWAL, "a queue pair's number is used again while its packets are on their way"),
    Planted(9, _RAILS, "what had arrived when the pair was destroyed is sent again"),
    Planted(10, _NONE, "Sent is taken for landed"),
    Planted(11, _NONE, "a silent target agent is taken for a dead one: quarantine ends early"),
    Planted(12, _DEATH, "the target waits for a fence without a deadline"),
    Planted(13, _DEATH, "the source's rooms have no deadline"),
    Planted(14, _NONE, "a fence does not stop later chunks"),
    Planted(15, _NONE, "an offer that was overtaken by its fence is served"),
    Planted(16, _DEATH, "a dying agent's pages are free before the kernel closed its queue pairs"),
    Planted(17, _LOCAL, "tcp, shm: a window stays open after its room ended"),
)


class ModelTest(search.Search):
    def setUp(self):
        with open(SOURCE_STATES, encoding="utf-8") as f:
            self.source_states = f.read()
        with open(TARGET_STATES, encoding="utf-8") as f:
            self.target_states = f.read()
        super().setUp()

    def safe(self, *defines: str, flags: tuple[str, ...] = ()) -> search.Result:
        self.build(defines, ("-DSAFETY", "-DNOCLAIM") + flags)
        return self.search("-w22")

    def test_nothing_is_stale_and_landed_means_all_in_every_history(self):
        result = self.safe(*search.ALL)
        self.assertEqual(result.errors, 0, result.output)
        self.assertGreater(result.states, 1000000)
        print("verbs: %d states, no violation, no deadlock" % result.states)

    def test_the_same_where_the_target_writes_for_itself(self):
        result = self.safe(*_LOCAL)
        self.assertEqual(result.errors, 0, result.output)
        self.assertGreater(result.states, 100000)
        print("tcp and shm: %d states, no violation, no deadlock" % result.states)

    def test_both_sides_learn_in_every_history(self):
        for budgets in (_RAILS, _DEATH, _LOCAL):
            with self.subTest(budgets=budgets):
                self.build(budgets, ())
                result = self.search("-w22", "-a", "-N", "both_sides_learn")
                self.assertEqual(result.errors, 0, result.output)
                print("both sides learn, %s: %d states" % (" ".join(budgets), result.states))

    def test_failover_renewal_and_death_do_happen(self):
        cases = (("never_fails_over", _RAILS), ("never_lands_on_a_renewed_pair", _RENEWAL),
                 ("never_ends_by_death", _DEATH))
        for claim, budgets in cases:
            with self.subTest(claim=claim):
                self.build(budgets + ("GHOST",), ())
                self.assertGreater(self.search("-w22", "-a", "-N", claim).errors, 0)

    def test_every_planted_fault_is_found(self):
        for planted in PLANTED:
            with self.subTest(number=planted.number, what=planted.what):
                # Breadth first: the shortest history that shows it, and few states.
                result = self.safe("BREAK=%d" % planted.number, *planted.budgets, flags=("-DBFS",))
                self.assertGreater(result.errors, 0, "not found: " + planted.what)
                print("fault %d (%s): found after %d states" % (planted.number, planted.what,
                                                               result.states))

    def test_the_states_are_those_of_the_code(self):
        def of_code(header):
            body = re.search(r"enum class \w+State : uint8_t \{(.*?)\};", header, re.S).group(1)
            return set(re.findall(r"\bk([A-Z]\w*)\b", re.sub(r"//.*", "", body)))

        with open(search.MODEL, encoding="utf-8") as f:
            model = f.read()

        def of_model(name):
            body = re.search(r"mtype:%s = \{(.*?)\}" % name, model).group(1)
            return {state.strip()[1:] for state in body.split(",")}

        self.assertEqual(of_model("source") - {"None"}, of_code(self.source_states))
        # A room that is still looking has no leg: nothing can land.
        self.assertEqual(of_model("target") - {"None"}, of_code(self.target_states) - {"Looking"})


if __name__ == "__main__":
    unittest.main()
