"""BatonConnector under circumstances that a test needs."""
import mmap
import tempfile

import torch
from torch.overrides import TorchFunctionMode

from baton.vllm import version
from baton.vllm.connector import BatonConnector


class OwnPoolConnector(BatonConnector):
    """vLLM allocates its memory itself, as a version without the hook would."""

    def get_mem_pool_context(self):
        return None


class _FileMemory(TorchFunctionMode):
    """Gives vLLM memory of a file, which cannot be adopted."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func is torch.zeros and kwargs.get("dtype") is torch.int8:
            with tempfile.TemporaryFile() as file:
                file.truncate(args[0])
                return torch.frombuffer(mmap.mmap(file.fileno(), args[0]), dtype=torch.int8)
        return func(*args, **kwargs)


class ForeignPoolConnector(BatonConnector):
    def get_mem_pool_context(self):
        return _FileMemory()


class NewerVersionConnector(BatonConnector):
    def __init__(self, vllm_config, role, kv_cache_config):
        plain, version.installed = version.installed, lambda: "9.0.0+cpu"
        super().__init__(vllm_config, role, kv_cache_config)
        version.installed = plain
