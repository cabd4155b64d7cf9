"""An agent that the registry does not have for a rank announces it: it is given no room."""
import unittest

from tests.e2e.field import fleet
from tests.programs import program


class ImpostorTest(fleet.FieldTest):
    def test_of_a_later_incarnation_ends_no_rooms_and_is_offered_nothing(self):
        bootstrap = self.bootstrap()
        _, d, source, target = self.pair(bootstrap.address())
        # Another registry, where the same rank starts later, and where a server is said to be at
        # the address of the decode agent: so the impostor connects to that, and announces itself.
        other = program.start_bootstrap(self, self.folder("other")).address()
        lure = self.agent("lure", other, advertise=d.address())
        self.engine(lure, role="prefill", server="prefill-z")
        impostor = self.agent("impostor", other)
        forged = self.engine(impostor, role="prefill", server="prefill-a")
        forged.ok("fill", value=251)
        caller = self.engine(impostor, role="decode", server="decode-x")
        caller.ok("open-receive", "r", id=1, server="prefill-z", ms=60000)
        up = "peer %s is up" % impostor.address()
        program.eventually(lambda: up in d.log(), "the impostor is connected")
        for room in range(600, 620):
            forged.ok("open-send", "r%d" % room, id=room)
            forged.ok("send", "r%d" % room)
        self._rooms = 599
        for _ in range(20):
            self.land(source, target)
        for room in range(600, 620):
            self.assertTrue(forged.ok("poll", "r%d" % room).startswith("open "))


if __name__ == "__main__":
    unittest.main()
