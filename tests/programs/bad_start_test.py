"""What the programs say when they cannot start: the flag that is wrong, its value, on one line."""
import os
import resource
import socket
import subprocess
import tempfile
import unittest

AGENT = os.path.abspath("transfer_agent/app/baton-agent")
BOOTSTRAP = os.path.abspath("bootstrap_service/app/baton-bootstrap")
# A program that starts although it must not is ended then.
LIMIT_S = 60


def start(program: str, *flags: str, **limits) -> subprocess.CompletedProcess:
    return subprocess.run([program, *flags], capture_output=True, text=True, timeout=LIMIT_S,
                          check=False, **limits)


class BadStart(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def expect_refusal(self, program: str, flags: list[str], *words: str, **limits):
        result = start(program, *flags, **limits)
        self.assertGreater(result.returncode, 0, result.stderr)
        name = os.path.basename(program)
        said = [line for line in result.stderr.splitlines() if line.startswith(name + ": ")]
        self.assertEqual(len(said), 1, result.stderr)
        for word in words:
            self.assertIn(word, said[0])

    def agent_flags(self, **flags: str) -> list[str]:
        all_flags = {
            "bootstrap": "127.0.0.1:1",
            "attach_socket": os.path.join(self.folder, "attach.sock"),
            "service_socket": os.path.join(self.folder, "service.sock"),
        }
        all_flags.update(flags)
        return ["--%s=%s" % item for item in all_flags.items()]

    def port_in_use(self) -> str:
        taken = socket.socket()
        self.addCleanup(taken.close)
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        return "127.0.0.1:%d" % taken.getsockname()[1]

    def test_an_unknown_flag_is_named(self):
        for program in (AGENT, BOOTSTRAP):
            self.expect_refusal(program, ["--nonsense"], "--nonsense", "--help")

    def test_a_value_out_of_range_is_named_with_the_range(self):
        self.expect_refusal(AGENT, self.agent_flags(workers="999"), "--workers=999", "0 to 64")
        self.expect_refusal(BOOTSTRAP, ["--lease_ms=1"], "--lease_ms=1", "100 to 600000")

    def test_an_unknown_transport_is_named_with_the_choices(self):
        self.expect_refusal(AGENT, self.agent_flags(transport="pigeon"), "--transport=pigeon",
                            "tcp")

    def test_an_agent_without_a_bootstrap_service_says_what_is_missing(self):
        self.expect_refusal(AGENT, [], "--bootstrap")
        self.expect_refusal(AGENT, self.agent_flags(bootstrap="somewhere"), "--bootstrap=somewhere",
                            "host:port")

    def test_an_address_that_nobody_can_dial_is_named(self):
        for flag, address, word in (("advertise", "127.0.0.1", "host:port"),
                                    ("advertise", "0.0.0.0:7421", "nobody can dial"),
                                    ("advertise", "[::]:7421", "nobody can dial"),
                                    ("advertise", "x y:1", "host:port"),
                                    ("advertise", "x:70000", "host:port"),
                                    ("bootstrap", "10.0.0.1:0", "port 0"),
                                    ("bootstrap", "x\ny:1", "host:port")):
            with self.subTest(flag=flag, address=address):
                self.expect_refusal(AGENT, self.agent_flags(**{flag: address}), "--" + flag, word)

    def test_a_variable_that_nothing_reads_is_named_with_the_nearest(self):
        environment = dict(os.environ, BATON_SILENCE="5", BATON_BOOTSTRAP_SERVICE_HOST="10.0.0.1",
                           BATON_BOOTSTRAP_PORT_7411_TCP_ADDR="10.0.0.1")
        result = start(AGENT, "--help", env=environment)
        self.assertEqual(result.stderr, "baton-agent: warning: BATON_SILENCE is set, and nothing "
                         "reads it; did you mean BATON_SILENCE_MS?\n")

    def test_flags_that_contradict_each_other_are_both_named(self):
        flags = self.agent_flags(heartbeat_ms="500", silence_ms="600")
        self.expect_refusal(AGENT, flags, "--silence_ms=600", "--heartbeat_ms=500")

    def test_a_port_in_use_is_named_with_its_flag(self):
        address = self.port_in_use()
        self.expect_refusal(AGENT, self.agent_flags(listen=address), "--listen", address)
        self.expect_refusal(BOOTSTRAP, ["--listen=" + address], "--listen=" + address)

    def test_an_operators_port_in_use_is_named_with_its_flag(self):
        address = self.port_in_use()
        for flag in ("admin_listen", "probe_listen"):
            self.expect_refusal(AGENT, self.agent_flags(**{flag: address}), "--" + flag, address)
            self.expect_refusal(BOOTSTRAP, ["--listen=127.0.0.1:0", "--%s=%s" % (flag, address)],
                                "--" + flag, address)

    def test_an_operators_address_that_is_none_is_named(self):
        for flag in ("admin_listen", "probe_listen"):
            self.expect_refusal(AGENT, self.agent_flags(**{flag: "nonsense"}), "--" + flag,
                                "host:port")

    def test_a_socket_path_that_is_too_long_is_named_with_its_flag(self):
        path = os.path.join(self.folder, "a" * 120)
        for flag in ("attach_socket", "service_socket"):
            self.expect_refusal(AGENT, self.agent_flags(**{flag: path}), "--" + flag, path, "107")

    def test_a_socket_in_a_folder_that_is_missing_is_named_with_its_flag(self):
        path = os.path.join(self.folder, "missing", "a.sock")
        for flag in ("attach_socket", "service_socket"):
            self.expect_refusal(AGENT, self.agent_flags(**{flag: path}), "--" + flag, path)

    def test_a_port_file_that_cannot_be_written_is_named(self):
        path = os.path.join(self.folder, "missing", "port")
        self.expect_refusal(AGENT, self.agent_flags(port_file=path), "--port_file=" + path)
        self.expect_refusal(BOOTSTRAP, ["--listen=127.0.0.1:0", "--port_file=" + path],
                            "--port_file=" + path)

    def test_too_few_open_files_are_named_with_the_cure(self):
        def few_files():
            resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))

        self.expect_refusal(AGENT, self.agent_flags(), "RLIMIT_NOFILE", preexec_fn=few_files)


if __name__ == "__main__":
    unittest.main()
