"""Who this process is, read from its pod's environment."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

from baton import _abi
from baton.errors import check


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
