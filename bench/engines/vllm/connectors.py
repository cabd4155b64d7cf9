"""The connectors side by side: how each is configured, and how its router drives the two legs."""
import contextlib
import itertools
import os
import threading

from tests.engines.vllm.agents import Cluster
from tests.engines.vllm.engine import Engine

_numbers = itertools.count(1)

NOTHING = {"kv_connector": "NothingConnector", "kv_role": "kv_consumer",
           "kv_connector_module_path": "bench.engines.vllm.nothing"}


class Baton:
    """Both legs at once."""

    name = "Baton (tcp)"

    def __init__(self, folder: str) -> None:
        self._cluster = Cluster(folder, "tcp")

    def transfer(self, side: str) -> dict:
        self._cluster.agent(side)
        return {"kv_connector": "BatonConnector", "kv_connector_module_path": "baton.vllm",
                "kv_role": "kv_producer" if side == "prefill" else "kv_consumer",
                "kv_connector_extra_config": {"server": side,
                                              "agent_socket": self._cluster.socket(side)}}

    def environment(self, side: str) -> dict[str, str]:
        return {}

    def submit(self, prefill: Engine, decode: Engine, request: str, words: list[int],
               tokens: int) -> None:
        room = {"room": next(_numbers)}
        prefill.add(request, words, 1, {"baton": {**room, "side": "send"}})
        decode.add(request, words, tokens, {"baton": {**room, "side": "receive",
                                                      "prefill_server": "prefill"}})

    def close(self) -> None:
        self._cluster.close()


class Mooncake:
    """Both legs at once, too; the decode side looks the prefill's worker up over HTTP."""

    name = "MooncakeConnector (tcp)"
    _PORT = "8998"

    def __init__(self, folder: str) -> None:
        self._run = os.path.basename(folder)

    def transfer(self, side: str) -> dict:
        return {"kv_connector": "MooncakeConnector",
                "kv_role": "kv_producer" if side == "prefill" else "kv_consumer",
                "engine_id": "%s-%s" % (self._run, side),
                "kv_connector_extra_config": {"mooncake_protocol": "tcp"}}

    def environment(self, side: str) -> dict[str, str]:
        return {"VLLM_MOONCAKE_BOOTSTRAP_PORT": self._PORT}

    def submit(self, prefill: Engine, decode: Engine, request: str, words: list[int],
               tokens: int) -> None:
        transfer = {"transfer_id": "t-%d" % next(_numbers)}
        prefill.add(request, words, 1, {**transfer, "do_remote_decode": True,
                                        "do_remote_prefill": False})
        decode.add(request, words, tokens, {
            **transfer, "do_remote_decode": False, "do_remote_prefill": True,
            "remote_engine_id": "%s-prefill" % self._run,
            "remote_bootstrap_addr": "http://127.0.0.1:" + self._PORT})

    def close(self) -> None:
        pass


class Nixl:
    """One leg after the other: the prefill's answer says where its pages are."""

    name = "NixlConnector (UCX, tcp)"

    def __init__(self, folder: str) -> None:
        self._run = os.path.basename(folder)

    def transfer(self, side: str) -> dict:
        return {"kv_connector": "NixlConnector", "kv_buffer_device": "cpu",
                "kv_role": "kv_producer" if side == "prefill" else "kv_consumer",
                "engine_id": "%s-%s" % (self._run, side),
                "kv_connector_extra_config": {"backends": ["UCX"]}}

    def environment(self, side: str) -> dict[str, str]:
        return {"VLLM_NIXL_SIDE_CHANNEL_PORT": "5600" if side == "prefill" else "5700",
                "VLLM_NIXL_SIDE_CHANNEL_HOST": "127.0.0.1", "UCX_TLS": "tcp"}

    def submit(self, prefill: Engine, decode: Engine, request: str, words: list[int],
               tokens: int) -> None:
        asked = dict.fromkeys(("remote_engine_id", "remote_block_ids", "remote_host",
                               "remote_port"))
        prefill.add(request, words, 1, {"do_remote_decode": True, "do_remote_prefill": False,
                                        **asked})
        threading.Thread(target=lambda: decode.add(
            request, words, tokens, prefill.answer(request)), daemon=True).start()

    def close(self) -> None:
        pass


@contextlib.contextmanager
def set_environment(values: dict[str, str]):
    """For engines forked meanwhile."""
    before = {key: os.environ.get(key) for key in values}
    os.environ.update(values)
    yield
    for key, value in before.items():
        if value is None:
            del os.environ[key]
        else:
            os.environ[key] = value
