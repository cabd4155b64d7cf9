"""Calls of SGLang that this backend looks into. None of them changes what SGLang does."""

from __future__ import annotations

from typing import Any

from baton.sglang import context
from baton.sglang.memory import POOLS


def _ours() -> bool:
    from sglang.srt.runtime_context import get_disagg  # noqa: PLC0415

    disagg = get_disagg()
    return (
        disagg.disaggregation_transfer_backend == "baton" and disagg.disaggregation_mode != "null"
    )


def allow_pages_last(original: Any, server_args: Any) -> None:
    """SGLang knows one backend that can give pages to computed prompts only; this is another."""
    from sglang.srt.arg_groups.overrides import resolving_view  # noqa: PLC0415

    try:
        original(server_args)
    except ValueError as error:
        if resolving_view(server_args).disaggregation_transfer_backend != "baton":
            raise
        text, _, reasons = str(error).partition("yet support ")
        others = [r for r in reasons.split(", ") if not r.startswith("transfer backends")]
        if others:
            raise ValueError(f"{text}yet support {', '.join(others)}") from None


def make_manager(original: Any, queue: Any) -> Any:
    """The manager's constructor is not given the pools; its queue has them."""
    with context.QUEUE.of(queue):
        return original(queue)


def create_sender(original: Any, queue: Any, req: Any, *args: Any, **kwargs: Any) -> Any:
    """The sender's constructor is not given the prompt's length."""
    with context.TOTAL_TOKENS.of(len(req.origin_input_ids)):
        return original(queue, req, *args, **kwargs)


def send_metadata(original: Any, queue: Any, decode_req: Any, *args: Any, **kwargs: Any) -> Any:
    """Nor is the receiver."""
    total = queue._rebootstrap_prefill_len(decode_req.req)
    with context.TOTAL_TOKENS.of(total):
        return original(queue, decode_req, *args, **kwargs)


def metadata_buffers(_result: Any, buffers: Any, *_args: Any, **_kwargs: Any) -> None:
    """Fresh arrays of the host: the same ones in memory that the agent can reach."""
    if not _ours():
        return
    for name, value in list(vars(buffers).items()):
        if hasattr(value, "data_ptr") and value.device.type == "cpu":
            moved = POOLS.tensor(value, name)
            moved.copy_(value)
            setattr(buffers, name, moved)


def create_buffers(original: Any, pool: Any, *args: Any, **kwargs: Any) -> Any:
    """An engine on the CPU gets its KV pool from us; a GPU's is exported later."""
    if not _ours() or str(pool.device) != "cpu":
        return original(pool, *args, **kwargs)
    with POOLS.host_zeros("kv"):
        return original(pool, *args, **kwargs)


_ARGUMENTS = "sglang.srt.arg_groups.pd_disaggregation_hook."
_PREFILL = "sglang.srt.disaggregation.prefill.PrefillBootstrapQueue."
_DECODE = "sglang.srt.disaggregation.decode.DecodePreallocQueue."
_POOLS = "sglang.srt.mem_cache.memory_pool."

#: In every process; the others only where SGLang has loaded their modules.
EVERYWHERE = (
    (_ARGUMENTS + "_validate_prefill_complete", ("server_args",), allow_pages_last),
)

#: Target, its parameters as they were in the versions that were tried, hook, and its kind.
TABLE = (
    (_PREFILL + "_init_kv_manager", ("self",), make_manager, "AROUND"),
    (_DECODE + "_init_kv_manager", ("self",), make_manager, "AROUND"),
    (_PREFILL + "create_sender", ("self", "req"), create_sender, "AROUND"),
    (_DECODE + "_send_kv_metadata", ("self", "decode_req"), send_metadata, "AROUND"),
    (
        "sglang.srt.disaggregation.utils.MetadataBuffers.__init__",
        ("self", "size"),
        metadata_buffers,
        "AFTER",
    ),
    (_POOLS + "MHATokenToKVPool._create_buffers", ("self",), create_buffers, "AROUND"),
    (_POOLS + "MLATokenToKVPool._create_buffers", ("self",), create_buffers, "AROUND"),
)
