"""More connections than descriptors: what accepts goes on, and honest clients keep their place."""
import socket
import unittest

from tests.e2e.field import fleet
from tests.programs import program

_FILES = 256
_IDLE = 300


class ListenerTest(fleet.FieldTest):
    def crowd(self, address: str) -> list[socket.socket]:
        """Connections that say nothing; those that are refused are closed by the other end."""
        host, port = address.rsplit(":", 1)
        idle = []
        for _ in range(_IDLE):
            idle.append(socket.create_connection((host, int(port)), timeout=program.LIMIT_S))
        self.addCleanup(lambda: [one.close() for one in idle])
        return idle

    def test_a_service_outlives_more_connections_than_it_has_descriptors(self):
        bootstrap = self.bootstrap(files=_FILES)
        _, _, source, target = self.pair(bootstrap.address())
        idle = self.crowd(bootstrap.address())
        # Who was there before stays.
        self.land(source, target)
        self.assertEqual(bootstrap.get("/healthz"), (200, "ok\n"))
        for one in idle:
            one.close()
        program.eventually(
            lambda: self.ctl(bootstrap.address(), "server", "list").returncode == 0, "accepts")
        late = self.agent("late", bootstrap.address())
        program.eventually(lambda: late.get("/readyz")[0] == 200, "ready")

    def test_an_agent_outlives_more_connections_than_it_has_descriptors(self):
        bootstrap = self.bootstrap()
        p = self.agent("p", bootstrap.address(), files=_FILES)
        source = self.engine(p, role="prefill", server="prefill-a")
        idle = self.crowd(p.address())
        for one in idle:
            one.close()
        d = self.agent("d", bootstrap.address())
        target = self.engine(d, role="decode", server="decode-a")
        self.land(source, target)

    def test_who_connects_is_greeted_so_that_a_listener_can_dial_itself(self):
        bootstrap = self.bootstrap()
        for address in (bootstrap.address(), self.agent("p", bootstrap.address()).address()):
            host, port = address.rsplit(":", 1)
            with socket.create_connection((host, int(port)), timeout=program.LIMIT_S) as caller:
                # The head of an HTTP/2 frame: length, type (SETTINGS is 4), flags, stream.
                self.assertEqual(caller.recv(9)[3], 4)

    def test_an_agent_s_service_socket_outlives_more_connections_than_it_has_descriptors(self):
        bootstrap = self.bootstrap()
        p = self.agent("p", bootstrap.address(), files=_FILES)
        path = p.folder + "/service.sock"
        program.eventually(lambda: "epoch" in self.agent_status(p), "serves")
        idle = []
        for _ in range(_IDLE):
            idle.append(socket.socket(socket.AF_UNIX))
            idle[-1].connect(path)
        for one in idle:
            one.close()
        program.eventually(lambda: "epoch" in self.agent_status(p), "answers")


if __name__ == "__main__":
    unittest.main()
