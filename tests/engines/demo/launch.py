"""How each engine is started: commands and environments, as a user would give them."""
import dataclasses
import json
import os

LIBRARY = os.path.abspath("bazel-bin/client/c/libbaton_c.so")
PACKAGE = os.path.abspath("client/python")
ROLES = ("prefill", "decode")


@dataclasses.dataclass
class Launch:
    """One engine's server."""

    command: list[str]
    port: int
    env: dict[str, str]


def _baton(folder: str, role: str) -> dict[str, str]:
    return {"BATON_C_LIBRARY": LIBRARY, "PYTHONPATH": PACKAGE, "BATON_SERVER": role + "-a",
            "BATON_ATTACH_SOCKET": os.path.join(folder, role, "attach.sock"),
            "PYTHONDONTWRITEBYTECODE": ""}


def vllm(engine: str, folder: str, role: str, port: int) -> Launch:
    """`engine` is the folder of the installation, `role` prefill, decode or single."""
    command = [engine + "/venv/bin/python", "-W", "ignore", "-m",
               "vllm.entrypoints.openai.api_server", "--host=127.0.0.1", "--port=%d" % port,
               "--model=" + engine + "/models/gqa", "--served-model-name=tiny",
               "--dtype=float32", "--enforce-eager", "--max-model-len=1024", "--max-num-seqs=8",
               "--kv-cache-memory-bytes=%d" % (64 << 20)]
    env = {"LD_LIBRARY_PATH": engine + "/stubs", "XDG_CACHE_HOME": engine + "/cache",
           "HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1",
           "VLLM_HOST_IP": "127.0.0.1", "GLOO_SOCKET_IFNAME": "lo", "OMP_NUM_THREADS": "1",
           "VLLM_CPU_OMP_THREADS_BIND": "nobind", "PYTHONDONTWRITEBYTECODE": ""}
    if role in ROLES:
        env |= _baton(folder, role)
        command.append("--kv-transfer-config=" + json.dumps({
            "kv_connector": "BatonConnector", "kv_connector_module_path": "baton.vllm",
            "kv_role": "kv_producer" if role == "prefill" else "kv_consumer",
            "kv_connector_extra_config": {
                "labels": {"engine": "vllm", "http": "127.0.0.1:%d" % port}}}))
    return Launch(command, port, env)


def sglang(engine: str, folder: str, role: str, port: int) -> Launch:
    """The same for SGLang, which finds Baton by its entry point."""
    command = [engine + "/venv/bin/python", "-W", "ignore", "-m", "sglang.launch_server",
               "--host=127.0.0.1", "--port=%d" % port, "--model-path=" + engine + "/model",
               "--served-model-name=tiny", "--device=cpu", "--attention-backend=torch_native",
               "--dtype=float32", "--mem-fraction-static=0.05", "--max-total-tokens=8192",
               "--max-running-requests=8", "--page-size=16", "--disable-overlap-schedule",
               "--skip-server-warmup", "--sleep-on-idle", "--cuda-graph-backend-decode=disabled",
               "--cuda-graph-backend-prefill=disabled"]
    env = {"LD_LIBRARY_PATH": engine + "/stubs", "HF_HUB_OFFLINE": "1",
           "TRANSFORMERS_OFFLINE": "1", "SGLANG_USE_CPU_ENGINE": "1", "OMP_NUM_THREADS": "1",
           "SGLANG_HOST_IP": "127.0.0.1", "HOST_IP": "127.0.0.1", "GLOO_SOCKET_IFNAME": "lo",
           "PYTHONDONTWRITEBYTECODE": ""}
    if role in ROLES:
        env |= _baton(folder, role)
        env["PYTHONPATH"] = _entry_point(folder) + ":" + PACKAGE
        command += ["--disaggregation-mode=" + role, "--disaggregation-transfer-backend=baton",
                    "--disaggregation-bootstrap-port=%d" % (port + 1000)]
        if role == "decode":
            command.append("--disaggregation-decode-retraction-backup=cpu_tensor")
    return Launch(command, port, env)


def _entry_point(folder: str) -> str:
    """What the installed wheel has."""
    info = os.path.join(folder, "plugins", "baton_kv-0.dist-info")
    os.makedirs(info, exist_ok=True)
    with open(info + "/METADATA", "w", encoding="utf-8") as file:
        file.write("Metadata-Version: 2.1\nName: baton-kv\nVersion: 0\n")
    with open(info + "/entry_points.txt", "w", encoding="utf-8") as file:
        file.write("[sglang.srt.plugins]\nbaton = baton.sglang.plugin:register\n")
    return os.path.dirname(info)


ENGINES = {"vllm": vllm, "sglang": sglang}
