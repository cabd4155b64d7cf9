"""An initial memory file system for an emulated guest, with nothing in it but what its programs
need: each brings its libraries, as the dynamic linker finds them on the host."""
import glob
import os
import re
import shutil
import subprocess

_TOOLS = os.path.dirname(os.path.abspath(__file__))
_FOLDERS = ("usr/bin", "usr/sbin", "usr/lib/x86_64-linux-gnu/libibverbs", "usr/lib64",
            "bed/modules", "bed/tools/guest", "etc/libibverbs.d", "proc", "sys", "dev", "run",
            "tmp")
# Where they are on the host, and in the guest.
_PROGRAMS = (("/usr/bin/rdma", "usr/bin/rdma"), ("/sbin/ip", "usr/sbin/ip"))
_PROVIDER = "/usr/lib/x86_64-linux-gnu/libibverbs/librxe-rdmav*.so"
_MODULES = ("crc32_generic", "dummy", "rdma_rxe")
_LIBRARY = re.compile(r"(/\S+) \(0x")


def _output(command: list[str]) -> str:
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=False, text=True).stdout


def module_order(wanted: list[str], depends) -> list[str]:
    """`depends` maps a module's name to those that it needs; each comes after what it needs."""
    order: list[str] = []

    def visit(name: str) -> None:
        if name in order:
            return
        for needed in depends(name):
            visit(needed)
        order.append(name)

    for name in wanted:
        visit(name)
    return order


class _Modules:
    """Modules by their names, in which '-' and '_' are the same."""

    def __init__(self, kernel: str):
        files = glob.glob(kernel + "/lib/modules/*/kernel/**/*.ko", recursive=True)
        self._files = {os.path.basename(f)[:-3].replace("-", "_"): f for f in files}

    def depends(self, name: str) -> list[str]:
        # What is no file is built into the kernel.
        needed = _output(["/sbin/modinfo", "-F", "depends", self._files[name]]).strip()
        names = [n.replace("-", "_") for n in needed.split(",") if n]
        return [n for n in names if n in self._files]

    def copy(self, root: str) -> None:
        order = module_order(list(_MODULES), self.depends)
        with open(root + "/bed/modules/order", "w", encoding="utf-8") as f:
            for name in order:
                shutil.copy(self._files[name], root + "/bed/modules/%s.ko" % name)
                f.write(name + ".ko\n")


def _copy_with_libraries(source: str, root: str, place: str) -> None:
    """`place` is below the root; a library keeps its path, with Debian's merged /usr."""
    os.makedirs(os.path.dirname(root + "/" + place), exist_ok=True)
    shutil.copy(source, root + "/" + place)
    # Of what is no program, ldd lists none.
    for library in _LIBRARY.findall(_output(["ldd", source])):
        inside = library if library.startswith("/usr/") else "/usr" + library
        if not os.path.exists(root + inside):
            os.makedirs(os.path.dirname(root + inside), exist_ok=True)
            shutil.copy(library, root + inside)


def _copy_program(path: str, root: str) -> None:
    """A program that Bazel built, with what it finds beside itself (its runfiles)."""
    _copy_with_libraries(path, root, "baton/" + path)
    beside = path + ".runfiles/baton"
    for folder, _, names in os.walk(beside):
        for name in names:
            place = "bazel-bin/" + os.path.relpath(os.path.join(folder, name), beside)
            source = os.path.join(folder, name)
            if place != path and not os.path.exists(root + "/baton/" + place):
                _copy_with_libraries(source, root, "baton/" + place)


def _lay_out(root: str) -> None:
    for folder in _FOLDERS:
        os.makedirs(root + "/" + folder)
    for name in ("bin", "sbin", "lib", "lib64"):
        os.symlink("usr/" + name, root + "/" + name)
    for name in ("main.sh", "rails.sh"):
        shutil.copy(_TOOLS + "/guest/" + name, root + "/bed/tools/guest/")
    shutil.copy(_TOOLS + "/guest/init_tcg", root + "/init")
    shutil.copy("/bin/busybox", root + "/usr/bin/busybox")
    shutil.copy("/etc/libibverbs.d/rxe.driver", root + "/etc/libibverbs.d/")
    for name, text in (("hosts", "127.0.0.1 localhost\n"), ("passwd", "root:x:0:0::/:/bin/sh\n")):
        with open(root + "/etc/" + name, "w", encoding="utf-8") as f:
            f.write(text)


def make(root: str, out: str, *, kernel: str, programs: list[str], command: str) -> None:
    """Fills the empty folder `root` and packs it as `out`. `programs` are paths from the current
    folder, which is /baton in the guest; `command` is a shell script that it runs."""
    _lay_out(root)
    for path, place in _PROGRAMS:
        _copy_with_libraries(path, root, place)
    for path in glob.glob(_PROVIDER):
        _copy_with_libraries(path, root, path.lstrip("/"))
    for path in programs:
        _copy_program(path, root)
    _Modules(kernel).copy(root)
    with open(root + "/bed/command", "w", encoding="utf-8") as f:
        f.write(command)
    # Not compressed: the emulated CPU would have to undo it.
    with open(out, "wb") as f:
        names = "\n".join(os.path.relpath(os.path.join(folder, name), root)
                          for folder, folders, files in os.walk(root)
                          for name in folders + files)
        subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], cwd=root, input=names.encode(),
                       stdout=f, check=True)
