"""Network namespaces of our own, joined by a bridge: pods with addresses, without a cluster.

Everything lies in a network and a mount namespace that this process enters: nothing of it is seen
outside, no packet can leave it, and all is gone when the process and its children have ended.
"""
import ctypes
import os
import subprocess

_CLONE_NEWNS = 0x00020000
_CLONE_NEWNET = 0x40000000
_BRIDGE = "baton0"
SUBNET = "10.98.0."
_entered = False


def _sh(*command: str) -> None:
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


def enter() -> None:
    """Once a process, before it starts others."""
    global _entered
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNS | _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    _sh("mount", "--make-rprivate", "/")
    _sh("mount", "-t", "tmpfs", "tmpfs", "/run")
    os.mkdir("/run/netns")
    _sh("ip", "link", "set", "lo", "up")
    _sh("ip", "link", "add", _BRIDGE, "type", "bridge")
    _sh("ip", "addr", "add", SUBNET + "1/24", "dev", _BRIDGE)
    _sh("ip", "link", "set", _BRIDGE, "up")
    _entered = True


def add(name: str, number: int) -> str:
    """A namespace with an address on the bridge, which is returned."""
    assert _entered, "the host's own networks are not for tests"
    address = SUBNET + str(number)
    port = "b-" + name
    _sh("ip", "netns", "add", name)
    _sh("ip", "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", name)
    _sh("ip", "link", "set", port, "master", _BRIDGE, "up")
    _sh("ip", "-n", name, "link", "set", "lo", "up")
    _sh("ip", "-n", name, "addr", "add", address + "/24", "dev", "eth0")
    _sh("ip", "-n", name, "link", "set", "eth0", "up")
    return address


def inside(name: str, *command: str) -> list[str]:
    return ["ip", "netns", "exec", name, *command]
