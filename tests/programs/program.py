"""A program of Baton under test: started with ports of its own, asked over HTTP, ended."""
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request



def _find(name: str, built: str) -> str:
    """Where the program is: in the folder BATON_PROGRAMS, or where Bazel puts it."""
    folder = os.environ.get("BATON_PROGRAMS")
    return os.path.join(folder, name) if folder else os.path.abspath(built)


AGENT = _find("baton-agent", "transfer_agent/app/baton-agent")
BOOTSTRAP = _find("baton-bootstrap", "bootstrap_service/app/baton-bootstrap")
ROUTER = _find("baton-router", "client/router/app/baton-router")
# Far beyond what a passing test takes.
LIMIT_S = 60


def eventually(condition, what: str):
    """The first true value of condition(), which is asked until then."""
    ends = time.monotonic() + LIMIT_S
    while time.monotonic() < ends:
        value = condition()
        if value:
            return value
        time.sleep(0.01)  # Polls; nothing is timed.
    raise AssertionError("never: " + what)


class Program:
    def __init__(self, path: str, folder: str, stderr: object = None, files: int = 0,
                 under: tuple[str, ...] = (), **flags: str):
        self.folder = folder
        self.name = os.path.basename(path)
        self._port_files = {"port_file": self._path("port"),
                            "admin_port_file": self._path("admin.port"),
                            "probe_port_file": self._path("probe.port")}
        all_flags = {"listen": "127.0.0.1:0", "admin_listen": "127.0.0.1:0",
                     "probe_listen": "127.0.0.1:0", **self._port_files, **flags}
        self._log = open(self._path("log"), "w+", encoding="utf-8")
        limit = ["prlimit", "--nofile=%d" % files] if files else []
        self.process = subprocess.Popen(
            [*under, *limit, path] + ["--%s=%s" % flag for flag in all_flags.items()],
            stderr=self._log if stderr is None else stderr, stdout=self._log)

    def _path(self, what: str) -> str:
        return os.path.join(self.folder, "%s.%s" % (self.name, what))

    def _address(self, flag: str) -> str:
        def read():
            assert self.process.poll() is None, self.log()
            if not os.path.exists(self._port_files[flag]):
                return None
            with open(self._port_files[flag], encoding="utf-8") as file:
                return file.read().strip()
        return eventually(read, flag)

    def address(self) -> str:
        return self._address("port_file")

    def admin_address(self) -> str:
        return self._address("admin_port_file")

    def get(self, path: str) -> tuple[int, str]:
        """Status and body; (0, cause) while nothing answers."""
        url = "http://%s%s" % (self.admin_address(), path)
        try:
            with urllib.request.urlopen(url, timeout=LIMIT_S) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError as error:
            return 0, str(error)

    def log(self) -> str:
        with open(self._path("log"), encoding="utf-8") as file:
            return file.read()

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def wait(self) -> int:
        return self.process.wait(LIMIT_S)

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._log.close()


def start_bootstrap(test, folder: str, **flags: str) -> Program:
    program = Program(BOOTSTRAP, folder, **{"settle": "none", **flags})
    test.addCleanup(program.end)
    return program


def start_agent(test, folder: str, bootstrap: str, **flags: str) -> Program:
    program = Program(AGENT, folder, **{
        "bootstrap": bootstrap, "workers": "2",
        "attach_socket": os.path.join(folder, "attach.sock"),
        "service_socket": os.path.join(folder, "service.sock"), **flags})
    test.addCleanup(program.end)
    return program
