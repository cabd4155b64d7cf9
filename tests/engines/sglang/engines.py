"""SGLang's own engines and router, as installed by tools/engines/sglang_install.sh."""
import json
import os
import urllib.error
import urllib.request

from tests.engines.sglang import processes

HERE = os.path.dirname(os.path.abspath(__file__))
# Without a GPU, and greedy in float32: equal tokens mean equal pages.
FLAGS = {
    "device": "cpu", "attention-backend": "torch_native", "dtype": "float32",
    "mem-fraction-static": "0.5", "max-total-tokens": "32768", "max-running-requests": "8",
    "page-size": "16", "chunked-prefill-size": "256", "cuda-graph-backend-decode": "disabled",
    "cuda-graph-backend-prefill": "disabled", "host": "127.0.0.1"}
SWITCHES = ["--disable-overlap-schedule", "--skip-server-warmup", "--sleep-on-idle"]


def folder() -> str:
    return os.environ["SGLANG_FOLDER"]


def environment(**more: str) -> dict[str, str]:
    return {
        "LD_LIBRARY_PATH": folder() + "/stubs", "PYTHONDONTWRITEBYTECODE": "",
        "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "SGLANG_USE_CPU_ENGINE": "1",
        "OMP_NUM_THREADS": "1", "SGLANG_HOST_IP": "127.0.0.1", "HOST_IP": "127.0.0.1",
        "GLOO_SOCKET_IFNAME": "lo", **more}


def post(port: int, path: str, body: dict, limit_s: float = processes.LIMIT_S) -> dict:
    """The answer, or {"error": what went wrong}."""
    request = urllib.request.Request(
        "http://127.0.0.1:%d%s" % (port, path), json.dumps(body).encode(),
        {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=limit_s) as reply:
            text = reply.read().decode()
            return json.loads(text) if text.startswith(("{", "[")) else {"text": text}
    except urllib.error.HTTPError as error:
        return {"error": error.read().decode()}
    except OSError as error:
        return {"error": repr(error)}


def answers(port: int, path: str = "/health") -> bool:
    try:
        with urllib.request.urlopen("http://127.0.0.1:%d%s" % (port, path), timeout=10) as reply:
            return reply.status == 200
    except OSError:
        return False


class Engine:
    """One engine: `python -m sglang.launch_server` and what it starts."""

    def __init__(self, name: str, port: int, log: str, env: dict[str, str],
                 **flags: str | None):
        self.name = name
        self.port = port
        self._env = environment(**env)
        all_flags = {**FLAGS, "model-path": folder() + "/model", "port": str(port), **flags}
        self._command = [folder() + "/venv/bin/python", "-W", "ignore", "-m",
                         "sglang.launch_server"] + SWITCHES
        for flag, value in all_flags.items():
            self._command += ["--" + flag] + ([value] if value else [])
        self._log = log
        self.process: processes.Process | None = None

    def start(self) -> "Engine":
        self.process = processes.Process(self.name, self._command, self._log, self._env)
        return self

    def wait(self) -> "Engine":
        def ready() -> bool:
            self.process.check_runs()
            return answers(self.port)
        processes.eventually(ready, self.name + " is ready")
        return self

    def generate(self, prompt: list[int], tokens: int, limit_s: float = processes.LIMIT_S,
                 **more) -> dict:
        """`more` names the other leg: bootstrap_host and so on."""
        sampling = {"max_new_tokens": tokens, "temperature": 0, "ignore_eos": True}
        return post(self.port, "/generate",
                    {"input_ids": prompt, "sampling_params": sampling, **more}, limit_s)

    def abort(self, rid: str) -> None:
        post(self.port, "/abort_request", {"rid": rid})


def start_router(port: int, log: str, prefill: Engine, bootstrap_port: int,
                 decode: Engine) -> processes.Process:
    """The real router, unchanged."""
    router = processes.Process("sglang-router", [
        folder() + "/venv/bin/python", "-W", "ignore", "-m", "sglang_router.launch_router",
        "--pd-disaggregation", "--prefill", "http://127.0.0.1:%d" % prefill.port,
        str(bootstrap_port), "--decode", "http://127.0.0.1:%d" % decode.port,
        "--host", "127.0.0.1", "--port", str(port), "--prometheus-port", str(port + 1)],
        log, environment())

    def ready() -> bool:
        router.check_runs()
        return answers(port, "/readiness")
    processes.eventually(ready, "the router is ready")
    return router
