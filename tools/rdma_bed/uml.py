"""Runs a command in one User-Mode Linux guest, or in two that a wire for each rail joins.

The kernels are ordinary processes of the host. Each is pinned to one CPU: unpinned, every system
call of the guest may wake another CPU. What happened is told by lines that the guest prints.
"""
import contextlib
import fcntl
import os
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile

from tools.rdma_bed import console

_TOOLS = os.path.dirname(os.path.abspath(__file__))
_RAILS = 2
# How long a guest may take to boot before its command's own time starts.
_BOOT_S = 20
_SOCKET_BUFFER_BYTES = 8 << 20


def _write_scratch(scratch: str, command: list[str], limit_s: int) -> None:
    with open(os.path.join(scratch, "command"), "w", encoding="utf-8") as f:
        f.write("cd %s && exec timeout -k 5 %d %s\n"
                % (shlex.quote(os.getcwd()), limit_s, shlex.join(command)))
    shutil.copyfile("/proc/cpuinfo", os.path.join(scratch, "cpuinfo"))


def _wires(hosts: int) -> list[tuple[socket.socket, ...]]:
    """For each rail the two ends of its wire; none for a single host."""
    wires = []
    for _ in range(_RAILS if hosts == 2 else 0):
        ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        for end in ends:
            with contextlib.suppress(PermissionError):
                end.setsockopt(socket.SOL_SOCKET, 32, _SOCKET_BUFFER_BYTES)  # SO_SNDBUFFORCE
        wires.append(ends)
    return wires


def kernel_arguments(host: int, hosts: int, memory: str, scratch: str,
                     wire_fds: list[int]) -> list[str]:
    arguments = ["mem=" + memory, "rootfstype=hostfs", "root=/dev/root", "rootflags=/", "ro",
                 "quiet", "con=null", "con0=fd:0,fd:1", "con1=null", "ssl=null",
                 "uml_dir=%s/" % scratch, "init=%s/guest/init_uml" % _TOOLS,
                 "bed_tools=" + _TOOLS, "bed_scratch=" + scratch,
                 "bed_host=%d" % host, "bed_hosts=%d" % hosts]
    for rail, fd in enumerate(wire_fds):
        # The guest cannot raise the MTU of such a device later.
        arguments.append("vec%d:transport=fd,fd=%d,mtu=9000,depth=64,mac=02:77:00:00:%02x:%02x"
                         % (rail, fd, rail, host))
    return arguments


def _lease_cpus(hosts: int, stack: contextlib.ExitStack) -> list[int]:
    """One CPU for each kernel, and none that another bed of this user is pinned to while there are
    others; held until `stack` ends. From the last on, as the first often serve the interrupts."""
    free, taken = [], []
    for cpu in sorted(os.sched_getaffinity(0), reverse=True):
        path = os.path.join(tempfile.gettempdir(), "baton_bed_%d_cpu%d.lock" % (os.getuid(), cpu))
        lock = stack.enter_context(open(path, "w", encoding="utf-8"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            taken.append(cpu)
            continue
        free.append(cpu)
        if len(free) == hosts:
            break
    cpus = free + taken
    return [cpus[i % len(cpus)] for i in range(hosts)]


def _start(kernel: str, arguments: list[str], cpu: int, wire_fds: list[int]) -> subprocess.Popen:
    # Its own process group, which holds the processes that a kernel runs its guest's in.
    return subprocess.Popen(
        ["taskset", "-c", str(cpu), kernel] + arguments, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, pass_fds=wire_fds,
        start_new_session=True)


def _end(kernel: subprocess.Popen) -> int | None:
    """The kernel's exit status, None when it had to be killed. Says something only of a kernel that
    ended before its guest did."""
    status = None
    with contextlib.suppress(subprocess.TimeoutExpired):
        status = kernel.wait(timeout=3)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(kernel.pid, signal.SIGKILL)
    kernel.wait()
    return status


def run(kernel: str, command: list[str], *, hosts: int = 1, limit_s: int = 60,
        memory: str = "2G", sink: console.Sink = console.print_line) -> list[console.Console]:
    """What each guest said. `command` is run by every guest, in the current folder, with its
    number in $BED_HOST; `sink` gets (host, line) as they come."""
    consoles = [console.Console(host) for host in range(1, hosts + 1)]
    kernels = []
    wires = _wires(hosts)
    with contextlib.ExitStack() as stack:
        try:
            for i, cpu in enumerate(_lease_cpus(hosts, stack)):
                scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="baton_bed_"))
                _write_scratch(scratch, command, limit_s)
                fds = [wire[i].fileno() for wire in wires]
                kernels.append(_start(kernel, kernel_arguments(i + 1, hosts, memory, scratch, fds),
                                      cpu, fds))
            console.follow([k.stdout for k in kernels], consoles, _BOOT_S + limit_s + 10, sink)
        finally:
            for running, heard in zip(kernels, consoles):
                status = _end(running)
                if status is not None and not heard.at_end:
                    heard.broken = heard.broken or "its kernel ended with status %d" % status
            for end in sum(wires, ()):
                end.close()
    return consoles
