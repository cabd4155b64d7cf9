"""No more threads: a program that starts says which limit, one that runs goes on and ends."""
import os
import subprocess
import tempfile
import unittest

from tests.e2e.field import fleet
from tests.programs import program

# A user that has no other processes, so that the limit is these programs' own.
_USER = 30000 + os.getpid() % 20000
_AS_USER = ("setpriv", "--reuid=%d" % _USER, "--regid=%d" % _USER, "--clear-groups")


@unittest.skipUnless(os.geteuid() == 0, "only root can start programs as another user")
class ThreadsTest(fleet.FieldTest):
    def folder(self, name: str) -> str:
        path = super().folder(name)
        for each in (self._folder, path):
            os.chmod(each, 0o777)
        return path

    def allow_no_more_threads(self, of: program.Program) -> None:
        subprocess.run([*_AS_USER, "prlimit", "--pid=%d" % of.process.pid, "--nproc=1:"],
                       check=True)

    def test_a_program_starts_or_says_that_threads_are_short(self):
        for path in (program.BOOTSTRAP, program.AGENT):
            outcomes = set()
            for threads in (1, 2, 3, 5, 8, 12, 16, 20, 24, 32, 40, 64):
                with self.subTest(path=path, threads=threads):
                    outcomes.add(self.starts_or_says(path, threads))
            self.assertEqual(outcomes, {"started", "said"}, path)

    def starts_or_says(self, path: str, threads: int) -> str:
        with tempfile.TemporaryDirectory(dir="/tmp") as folder:
            os.chmod(folder, 0o777)
            flags = {"settle": "none"} if path == program.BOOTSTRAP else {
                "bootstrap": "127.0.0.1:1", "workers": "2", "transport": "tcp",
                "attach_socket": folder + "/a", "service_socket": folder + "/s"}
            limit = ("prlimit", "--nproc=%d" % threads)
            one = program.Program(path, folder, under=(*limit, *_AS_USER), **flags)
            self.addCleanup(one.end)
            port = folder + "/%s.port" % one.name
            program.eventually(lambda: one.process.poll() is not None or os.path.exists(port),
                               "starts or ends")
            if one.process.poll() is None:
                one.process.terminate()
                self.assertEqual(one.process.wait(program.LIMIT_S), 0, one.log())
                return "started"
            self.assertGreater(one.process.returncode, 0, one.log())
            self.assertIn("RLIMIT_NPROC", one.log())
            return "said"

    def test_programs_that_run_go_on_without_more_threads_and_end(self):
        bootstrap = self.bootstrap(under=_AS_USER)
        p = self.agent("p", bootstrap.address(), under=_AS_USER)
        d = self.agent("d", bootstrap.address(), under=_AS_USER)
        source = self.engine(p, role="prefill", server="prefill-a")
        target = self.engine(d, role="decode", server="decode-a")
        # gRPC starts its threads when it first has something for them: without, nothing connects.
        self.land(source, target)
        for one in (bootstrap, p, d):
            one.admin_address()
            self.allow_no_more_threads(one)
        for _ in range(20):
            self.land(source, target)
        # One that comes later is connected to and served.
        late = self.agent("late", bootstrap.address())
        self.land(source, self.engine(late, role="decode", server="decode-b"))
        for one in (p, d, bootstrap):
            self.assertEqual(one.get("/healthz"), (200, "ok\n"))
            one.process.terminate()
        for one in (p, d, bootstrap):
            # 3: what waits for a thread that never comes is left.
            self.assertIn(one.process.wait(program.LIMIT_S), (0, 3), one.log())


if __name__ == "__main__":
    unittest.main()
