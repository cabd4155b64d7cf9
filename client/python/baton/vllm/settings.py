"""What a user sets, in kv_connector_extra_config or by the environment of the pod."""
import dataclasses
import os
from collections.abc import Mapping
from typing import Any

DEFAULT_SOCKET = "/run/baton/attach.sock"


@dataclasses.dataclass(frozen=True)
class Settings:
    """The fields are the keys of kv_connector_extra_config."""

    server: str                          # or BATON_SERVER
    agent_socket: str = DEFAULT_SOCKET   # or BATON_ATTACH_SOCKET
    launch_id: str = ""                  # or BATON_LAUNCH_ID; made of the engine's own otherwise
    model: str = ""                      # the served name otherwise: servers of one model pair
    aliases: tuple[str, ...] = ()        # other names by which decode legs may name this server
    # Shown to routers. baton.router wants {"http": "host:port"} of this engine's API.
    labels: tuple[tuple[str, str], ...] = ()
    time_left_s: float = 120.0           # a room may take so long, from arrival to the last byte
    attach_timeout_s: float = 10.0       # how long the start of the engine waits for its agent
    peer_timeout_s: float = 3.0          # a request is given up whose other server is away so long
    slots: int = 1024                    # rooms open at once
    ring_bytes: int = 4 << 20


_FROM_ENVIRONMENT = {"server": "BATON_SERVER", "agent_socket": "BATON_ATTACH_SOCKET",
                     "launch_id": "BATON_LAUNCH_ID"}
_NUMBERS = {"time_left_s": float, "attach_timeout_s": float,
            "peer_timeout_s": float, "slots": int, "ring_bytes": int}


def read(extra: Mapping[str, Any], environment: Mapping[str, str] = os.environ) -> Settings:
    """ValueError says which key is wrong and what to do."""
    known = {field.name for field in dataclasses.fields(Settings)}
    for key in extra:
        if key not in known:
            raise ValueError("kv_connector_extra_config has no key %r; there are: %s"
                             % (key, ", ".join(sorted(known))))
    values: dict[str, Any] = {}
    for key, variable in _FROM_ENVIRONMENT.items():
        value = extra.get(key) or environment.get(variable)
        if value:
            values[key] = str(value)
    if "server" not in values:
        raise ValueError("Baton needs the name of this server: set \"server\" in "
                         "kv_connector_extra_config, or BATON_SERVER")
    for key, kind in _NUMBERS.items():
        if key in extra:
            values[key] = _positive(key, extra[key], kind)
    if "model" in extra:
        values["model"] = str(extra["model"])
    if "aliases" in extra:
        values["aliases"] = tuple(str(alias) for alias in extra["aliases"])
    if "labels" in extra:
        values["labels"] = tuple(sorted((str(k), str(v)) for k, v in extra["labels"].items()))
    return Settings(**values)


def _positive(key: str, value: Any, kind: type) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value <= 0:
        raise ValueError("kv_connector_extra_config: %s is %r, want a number above 0"
                         % (key, value))
    return kind(value)
