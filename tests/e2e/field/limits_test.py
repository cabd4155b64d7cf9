"""Limits of descriptors and memory: each is a refusal that names it, and nobody else pays."""
import resource
import subprocess
import tempfile
import unittest

from tests.e2e.field import fleet
from tests.programs import program


def mapped(agent: program.Program) -> int:
    """Bytes of address space."""
    with open("/proc/%d/statm" % agent.process.pid, encoding="utf-8") as file:
        return int(file.read().split()[0]) * resource.getpagesize()


class LimitsTest(fleet.FieldTest):
    def test_an_engine_with_more_regions_than_descriptors_is_refused_alone(self):
        bootstrap = self.bootstrap()
        p = self.agent("p", bootstrap.address(), files=256)
        d = self.agent("d", bootstrap.address())
        source = self.engine(p, role="prefill", server="prefill-a")
        target = self.engine(d, role="decode", server="decode-a")
        self.land(source, target)
        many = fleet.Engine(self, p)
        refused = 0
        for regions in (150, 180, 200, 210, 222, 230):
            said = many.say("attach", socket=many.socket, server="prefill-b", regions=regions,
                            ms=2000)
            if said != "ok":
                refused += 1
                self.assertIn("RLIMIT_NOFILE", said)
            self.assertIsNone(p.process.poll(), p.log())
        self.assertGreater(refused, 0)
        self.land(source, target)

    def test_an_agent_that_may_map_no_more_refuses_an_engine_and_serves_the_others(self):
        bootstrap = self.bootstrap()
        p = self.agent("p", bootstrap.address())
        d = self.agent("d", bootstrap.address())
        source = self.engine(p, role="prefill", server="prefill-a")
        target = self.engine(d, role="decode", server="decode-a")
        self.land(source, target)
        large = fleet.Engine(self, p)
        refused = 0
        for spare_mib in (1, 2, 4, 8, 12, 16, 24):
            subprocess.run(["prlimit", "--pid=%d" % p.process.pid,
                            "--as=%d:" % (mapped(p) + (spare_mib << 20))], check=True)
            # 16 MiB of table.
            said = large.say("attach", socket=large.socket, server="prefill-b", slots=65536,
                             ms=2000)
            if said != "ok":
                refused += 1
                self.assertIn("memory or address space", said)
            self.assertIsNone(p.process.poll(), p.log())
        self.assertGreater(refused, 0)
        self.land(source, target)

    def test_an_agent_starts_or_says_which_limit_is_too_low(self):
        bootstrap = self.bootstrap()
        for files in (8, 16, 24, 32, 40, 48, 64, 96, 128):
            with self.subTest(files=files), tempfile.TemporaryDirectory(dir="/tmp") as folder:
                flags = ["--bootstrap=" + bootstrap.address(), "--attach_socket=%s/a" % folder,
                         "--service_socket=%s/s" % folder, "--port_file=%s/port" % folder,
                         "--transport=tcp", "--workers=2"]
                limit = ["prlimit", "--nofile=%d" % files]
                self.starts_or_says(folder, limit + [program.AGENT] + flags)

    def starts_or_says(self, folder: str, command: list[str]):
        with open(folder + "/log", "w+", encoding="utf-8") as log:
            child = subprocess.Popen(command, stdout=log, stderr=log)

            def over() -> bool:
                with open(folder + "/log", encoding="utf-8") as so_far:
                    return child.poll() is not None or "serves control streams" in so_far.read()
            program.eventually(over, "starts or ends")
            if child.poll() is None:
                child.terminate()
                self.assertEqual(child.wait(program.LIMIT_S), 0)
                return
            log.seek(0)
            said = log.read()
            self.assertGreater(child.returncode, 0, said)
            self.assertTrue("RLIMIT_NOFILE" in said or "shared libraries" in said, said)


if __name__ == "__main__":
    unittest.main()
