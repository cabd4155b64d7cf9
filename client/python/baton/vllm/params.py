"""What a router says of a request, in kv_transfer_params:

    {"baton": {"room": 7, "nonce": 1, "side": "send", "decode_server": "decode-a"}}  to the prefill
    {"baton": {"room": 7, "nonce": 1, "side": "receive", "prefill_server": "prefill-a",
               "prefill_dp": 0}}                                                     to the decode

Both go out at once; nothing flows from the prefill's answer to the decode."""
import dataclasses
from typing import Any

SEND = "send"
RECEIVE = "receive"

_KEYS = {"room", "nonce", "side", "prefill_server", "prefill_dp", "decode_server", "time_left_s"}


@dataclasses.dataclass(frozen=True)
class Leg:
    room: int
    nonce: int
    side: str
    prefill_server: str = ""
    prefill_dp: int | None = None
    # Of a send, where the router says it: pages are not kept for one that is gone.
    decode_server: str = ""
    time_left_s: float | None = None


def parse(params: dict[str, Any] | None, side: str) -> Leg | None:
    """None for a request that Baton has nothing to do with. `side` is what this engine's kv_role
    can do. ValueError says what is wrong, for the log."""
    if not params or params.get("baton") is None:
        return None
    said = params["baton"]
    if not isinstance(said, dict):
        raise ValueError("kv_transfer_params.baton is %r, want an object" % (said,))
    unknown = sorted(set(said) - _KEYS)
    if unknown:
        raise ValueError("kv_transfer_params.baton has no field %s; there are: %s"
                         % (", ".join(map(repr, unknown)), ", ".join(sorted(_KEYS))))
    if said.get("side") not in (SEND, RECEIVE):
        raise ValueError("kv_transfer_params.baton.side is %r, want \"send\" or \"receive\""
                         % (said.get("side"),))
    if said["side"] != side:
        role = "kv_producer" if side == SEND else "kv_consumer"
        raise ValueError("the router sent the %r leg to this engine, which is a %s: send it to the "
                         "other one" % (said["side"], role))
    prefill_server = said.get("prefill_server") or ""
    if side == RECEIVE and not (isinstance(prefill_server, str) and prefill_server):
        raise ValueError("kv_transfer_params.baton.prefill_server is missing: name the server that "
                         "got the other leg")
    decode_server = said.get("decode_server") or ""
    if not isinstance(decode_server, str):
        raise ValueError("kv_transfer_params.baton.decode_server is %r, want a server's name"
                         % (decode_server,))
    dp = said.get("prefill_dp")
    return Leg(room=_number(said, "room", 64), nonce=_number(said, "nonce", 64, 0), side=side,
               prefill_server=prefill_server,
               prefill_dp=None if dp is None else _number(said, "prefill_dp", 32),
               decode_server=decode_server, time_left_s=_seconds(said.get("time_left_s")))


def _number(said: dict[str, Any], key: str, bits: int, default: int | None = None) -> int:
    value = said.get(key, default)
    # JavaScript keeps 53 bits of a number, so routers may write the rest as text.
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << bits:
        raise ValueError("kv_transfer_params.baton.%s is %r, want a number from 0 to 2^%d - 1"
                         % (key, value, bits))
    return value


def _seconds(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value <= 0:
        raise ValueError("kv_transfer_params.baton.time_left_s is %r, want seconds above 0"
                         % (value,))
    return float(value)
