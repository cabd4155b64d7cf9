"""The entry point `sglang.srt.plugins`: SGLang calls `register` in each of its processes."""

from __future__ import annotations

import inspect
import logging
import os
import pkgutil
import sys
from typing import Any

from baton.sglang import config, version

logger = logging.getLogger(__name__)

BACKEND = "baton"


def register() -> None:
    """Makes `--disaggregation-transfer-backend baton` known. Raises RuntimeError where SGLang is
    not as it was in the versions that were tried."""
    import sglang  # noqa: PLC0415

    if not version.tried(sglang.__version__):
        logger.warning("%s", version.advice(sglang.__version__))
    config.draw_launch_id()
    # Baton proves when pages are free again; SGLang would give them away after 30 seconds.
    os.environ.setdefault("SGLANG_DISAGGREGATION_DEFERRED_DECODE_KV_RELEASE_TIMEOUT", "86400")
    try:
        _add_choice()
        _add_member()
        _add_hooks()
    except Exception as error:
        raise RuntimeError(f"{error!r}; {version.advice(sglang.__version__)}") from error


def _add_choice() -> None:
    from sglang.srt.arg_groups import choices  # noqa: PLC0415

    if BACKEND not in choices.DISAGG_TRANSFER_BACKEND_CHOICES:
        choices.add_disagg_transfer_backend_choices([BACKEND])


def _add_member() -> Any:
    """SGLang's enum of backends is closed. Modules have imported it by name, so that it is added to
    in place."""
    from sglang.srt.disaggregation.utils import TransferBackend  # noqa: PLC0415

    if BACKEND in TransferBackend._value2member_map_:
        return TransferBackend(BACKEND)
    member = object.__new__(TransferBackend)
    member._name_ = BACKEND.upper()
    member._value_ = BACKEND
    member.__objclass__ = TransferBackend
    member._sort_order_ = len(TransferBackend._member_names_)
    TransferBackend._member_names_.append(member._name_)
    TransferBackend._member_map_[member._name_] = member
    TransferBackend._value2member_map_[BACKEND] = member
    type.__setattr__(TransferBackend, member._name_, member)
    return member


def get_kv_class(original: Any, transfer_backend: Any, class_type: Any) -> Any:
    """Our classes for our backend, SGLang's for its own."""
    if transfer_backend.value != BACKEND or class_type.value == "kvargs":
        return original(transfer_backend, class_type)
    if class_type.value == "bootstrap_server":
        from baton.sglang.bootstrap import BootstrapServer  # noqa: PLC0415

        return BootstrapServer
    from baton.sglang.manager import Manager  # noqa: PLC0415
    from baton.sglang.receiver import Receiver  # noqa: PLC0415
    from baton.sglang.sender import Sender  # noqa: PLC0415

    return {"manager": Manager, "sender": Sender, "receiver": Receiver}[class_type.value]


def _check(target: str, parameters: tuple[str, ...]) -> None:
    place, _, name = target.rpartition(".")
    function = getattr(pkgutil.resolve_name(place), name, None)
    if function is None:
        raise RuntimeError(f"SGLang has no {target}")
    found = tuple(inspect.signature(function).parameters)
    if found[: len(parameters)] != parameters:
        raise RuntimeError(f"{target} takes {found} and not {parameters} first")


def _add_hooks() -> None:
    from sglang.srt.plugins.hook_registry import HookRegistry, HookType  # noqa: PLC0415

    from baton.sglang import hooks  # noqa: PLC0415

    kinds = "sglang.srt.disaggregation.utils.get_kv_class"
    _check(kinds, ("transfer_backend", "class_type"))
    HookRegistry.register(kinds, get_kv_class, HookType.AROUND)
    for target, parameters, hook in hooks.EVERYWHERE:
        _check(target, parameters)
        HookRegistry.register(target, hook, HookType.AROUND)
    for target, parameters, hook, kind in hooks.TABLE:
        # Only a scheduler's process has loaded these; importing them elsewhere costs seconds.
        if target.rsplit(".", 2)[0] in sys.modules:
            _check(target, parameters)
            HookRegistry.register(target, hook, HookType[kind])
