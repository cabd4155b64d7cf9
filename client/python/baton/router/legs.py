"""What each engine wants to hear of a request: the two legs of it."""

from __future__ import annotations

from typing import Any, NamedTuple

from baton.router.picks import Pick


class Legs(NamedTuple):
    """The bodies for the prefill and the decode server."""

    prefill: dict[str, Any]
    decode: dict[str, Any]


def _vllm(body: dict[str, Any], pick: Pick) -> Legs:
    # The prefill computes the prompt; the token that it samples is thrown away.
    prefill = {**body, "stream": False, "max_tokens": 1}
    for field in ("stream_options", "max_completion_tokens", "min_tokens", "n", "best_of"):
        prefill.pop(field, None)
    room = {"room": pick.room, "nonce": pick.nonce}
    send = {"side": "send", "decode_server": pick.decode.name}
    receive = {"side": "receive", "prefill_server": pick.prefill.name,
               "prefill_dp": pick.prefill_dp}
    return Legs(
        {**prefill, "kv_transfer_params": {"baton": {**room, **send}}},
        {**body, "kv_transfer_params": {"baton": {**room, **receive}}},
    )


def _sglang(body: dict[str, Any], pick: Pick) -> Legs:
    # SGLang's requests have no nonce; both legs are the same request.
    host, _, port = pick.prefill.labels["bootstrap"].rpartition(":")
    both = {**body, "bootstrap_host": host, "bootstrap_port": int(port),
            "bootstrap_room": pick.room}
    return Legs({**both, "stream": False}, both)


_ENGINES = {"vllm": _vllm, "sglang": _sglang}


def legs_of(body: dict[str, Any], pick: Pick) -> Legs:
    """KeyError for an engine that this router does not know."""
    return _ENGINES[pick.prefill.labels["engine"]](body, pick)


def url_of(server, path: str) -> str:
    """Of the server's own API."""
    return f"http://{server.labels['http']}{path}"
