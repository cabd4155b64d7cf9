"""Baton as vLLM's KV connector:

    vllm serve MODEL --kv-transfer-config '{"kv_connector": "BatonConnector",
        "kv_connector_module_path": "baton.vllm", "kv_role": "kv_producer",
        "kv_connector_extra_config": {"server": "prefill-a"}}'

docs/guides/vllm.md says the rest. Importing this package imports no vLLM; BatonConnector does."""
from typing import Any

__all__ = ["BatonConnector"]


def __getattr__(name: str) -> Any:
    if name == "BatonConnector":
        from baton.vllm import connector
        return connector.BatonConnector
    raise AttributeError("module 'baton.vllm' has no attribute %r" % name)
