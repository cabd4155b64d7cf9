"""Who this process is, read from its pod's environment."""

from __future__ import annotations

import ctypes
import os
from dataclasses import dataclass

from baton import _abi
from baton.errors import BatonError, check


@dataclass(frozen=True)
class Pod:
    """See client/engine/pod_identity.h; `index` is this pod's among the `pods` of its server."""

    agent_socket: str
    server: str
    launch_id: str
    index: int
    pods: int


def read_pod() -> Pod:
    """From BATON_ATTACH_SOCKET, BATON_SERVER, BATON_LAUNCH_ID and what Kubernetes sets.

    Raises BatonError (CONFIG) that names the variable which is missing.
    """
    pod = _abi.sized(_abi.Pod)
    check(_abi.read_pod, ctypes.byref(pod))
    return Pod(
        pod.agent_socket.decode(), pod.server.decode(), pod.launch_id.decode(), pod.index, pod.pods
    )


def labels() -> dict[str, str]:
    """What the engine tells routers of itself: BATON_LABELS, as "key=value,key=value".

    Raises BatonError (CONFIG) for what is no label.
    """
    found = {}
    for word in os.environ.get("BATON_LABELS", "").split(","):
        key, equals, value = word.strip().partition("=")
        if word.strip() and not (key and equals):
            raise BatonError("CONFIG", f"BATON_LABELS: {word.strip()!r} is not key=value")
        if key:
            found[key] = value
    return found
