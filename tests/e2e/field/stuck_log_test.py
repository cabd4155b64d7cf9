"""Standard error is a pipe that nobody reads: a log collector that stalls."""
import fcntl
import os
import unittest

from tests.e2e.field import fleet
from tests.programs import program

# Names in the log make it longer than any pipe.
_LONG = "x" * 100


class StuckLogTest(fleet.FieldTest):
    def full_pipe(self) -> int:
        """The end of a pipe that is full and is never read."""
        reader, writer = os.pipe()
        for end in (reader, writer):
            self.addCleanup(os.close, end)
        size = fcntl.fcntl(writer, fcntl.F_GETPIPE_SZ)
        # Room for the lines of the start.
        os.write(writer, b"x" * (size - 4096))
        return writer

    def ends(self, child: program.Program):
        child.terminate()
        self.assertEqual(child.wait(), 0)

    def attach_often(self, agent: program.Program):
        """Each engine that comes and goes is a few lines in the logs of both programs."""
        for i in range(60):
            engine = fleet.Engine(self, agent)
            engine.say("attach", socket=engine.socket, server=_LONG, launch=i)
            engine.end()

    def test_a_service_whose_log_nobody_reads_serves_and_ends(self):
        bootstrap = self.bootstrap(stderr=self.full_pipe())
        p, d, source, target = self.pair(bootstrap.address())
        self.attach_often(p)
        self.assertEqual(bootstrap.get("/healthz"), (200, "ok\n"))
        self.assertEqual(self.ctl(bootstrap.address(), "server", "list").returncode, 0)
        self.land(source, target)
        self.ends(bootstrap)
        self.assertEqual(d.get("/healthz"), (200, "ok\n"))

    def test_an_agent_whose_log_nobody_reads_serves_and_ends(self):
        bootstrap = self.bootstrap()
        p, _, source, target = self.pair(bootstrap.address(), stderr=self.full_pipe())
        self.attach_often(p)
        self.land(source, target)
        self.assertEqual(p.get("/healthz"), (200, "ok\n"))
        self.ends(p)


if __name__ == "__main__":
    unittest.main()
