"""What a user sets, from the environment.

BATON_ATTACH_SOCKET   the agent's attach socket (/run/baton/attach.sock)
BATON_SERVER          name of this server, equal on all of its ranks
                      (ROLE-HOSTNAME-PORT, PORT being the engine's)
BATON_LAUNCH_ID       equal on all ranks of one start and new at the next one (made of POD_UID
                      where that is set, otherwise drawn by the process that starts the engine)
BATON_MODEL           servers pair only where it is equal (the served model's name)
BATON_ALIASES         further host:port by which routers know this prefill server, with commas
BATON_PEERS           host:port=SERVER with commas: prefill servers that have no alias
BATON_ATTACH_TIMEOUT  seconds that the engine waits for its agent when it starts (30)
BATON_LABELS          key=value with commas: what routers are told, over engine, http and bootstrap
BATON_PEER_TIMEOUT    seconds after which a decode engine gives a request up whose prefill server
                      cannot be reached (3)
BATON_EARLY_PREFILL   0: prompts are not computed before decode has given pages for them
"""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

import baton

# Drawn in the process that starts the engine; the ranks are its children and inherit it.
_LAUNCH = "BATON_LAUNCH_ID"


@dataclass(frozen=True)
class Config:
    """The variables above, read."""

    agent_socket: str
    server: str
    launch_id: str
    model: str
    aliases: tuple[str, ...] = ()
    peers: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    attach_timeout: float = 30.0
    peer_timeout: float = 3.0


def draw_launch_id(environment: dict[str, str] = os.environ) -> None:
    """Called wherever the plugin is loaded: the first process of an engine draws for all."""
    if not environment.get(_LAUNCH) and not environment.get("POD_UID"):
        environment[_LAUNCH] = uuid.uuid4().hex


def early_prefill(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether prompts are computed before decode has given pages for them."""
    return environment.get("BATON_EARLY_PREFILL", "1") != "0"


def _list(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _peers(text: str) -> dict[str, str]:
    peers = {}
    for part in _list(text):
        address, equals, server = part.partition("=")
        if not equals or ":" not in address or not server:
            raise baton.BatonError(
                "CONFIG", f"BATON_PEERS has {part!r}: it must be host:port=SERVER"
            )
        peers[address] = server
    return peers


def _seconds(environment: Mapping[str, str], name: str, default: float) -> float:
    text = environment.get(name, "")
    try:
        return float(text) if text else default
    except ValueError:
        raise baton.BatonError("CONFIG", f"{name}={text!r} is no number of seconds") from None


def own_addresses(host: str, own_ip: str, port: int) -> list[str]:
    """host:port by which a router may know this server. An alias belongs to one server alone: what
    every machine calls itself is none, unless the engine was told to listen there."""
    names = [own_ip, socket.gethostname(), socket.getfqdn()]
    hosts = [name for name in names if name and not name.startswith(("localhost", "127.", "::"))]
    if host not in ("", "0.0.0.0", "::"):
        hosts.insert(0, host)
    return list(dict.fromkeys(f"[{h}]:{port}" if ":" in h else f"{h}:{port}" for h in hosts))


def _labels(role: str, host: str, port: int, bootstrap_port: int) -> dict[str, str]:
    """What baton.router wants to know; BATON_LABELS adds to it."""
    if host in ("", "0.0.0.0", "::"):
        host = socket.gethostname()
    labels = {"engine": "sglang", "http": f"{host}:{port}"}
    if role == "prefill":
        labels["bootstrap"] = f"{host}:{bootstrap_port}"
    return labels


def read(
    *,
    role: str,
    model: str,
    host: str,
    port: int,
    bootstrap_port: int,
    own_ip: str = "",
    environment: dict[str, str] = os.environ,
) -> Config:
    """`role` is "prefill" or "decode"; `host` and `port` are the engine's own."""
    given = environment.setdefault
    given("BATON_SERVER", f"{role}-{socket.gethostname()}-{port}")
    draw_launch_id(environment)
    pod = baton.read_pod()
    aliases = _list(environment.get("BATON_ALIASES", ""))
    if role == "prefill":
        aliases += own_addresses(host, own_ip, bootstrap_port)
    return Config(
        agent_socket=pod.agent_socket,
        server=pod.server,
        launch_id=pod.launch_id,
        model=environment.get("BATON_MODEL") or model,
        aliases=tuple(dict.fromkeys(aliases)),
        peers=_peers(environment.get("BATON_PEERS", "")),
        labels=_labels(role, host, port, bootstrap_port),
        attach_timeout=_seconds(environment, "BATON_ATTACH_TIMEOUT", 30.0),
        peer_timeout=_seconds(environment, "BATON_PEER_TIMEOUT", 3.0),
    )
