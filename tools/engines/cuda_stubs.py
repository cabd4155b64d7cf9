"""Makes stand-ins for the CUDA libraries that torch's wheel is linked to, so that it loads on a
machine without a GPU and without gigabytes of libraries that would never be called.

    cuda_stubs.py FOLDER_OF_TORCH_LIBRARIES OUT

Each library that is asked for and not there becomes one that exports what torch's libraries import
from it, under the same symbol versions. Every function of it answers 100, cudaErrorNoDevice, so
that torch finds no GPU. Needs objdump and gcc."""
import collections
import dataclasses
import os
import re
import subprocess
import sys
import tempfile

# What every Debian machine has.
SYSTEM = re.compile(r"(libc|libm|libdl|librt|libpthread|libgcc_s|libstdc\+\+|libgomp|ld-linux.*)"
                    r"\.so.*")
NVIDIA = re.compile(r"cu|p?nccl|nv")


@dataclasses.dataclass
class Library:
    name: str
    needs: list[str]
    version_of: dict[str, str]         # symbol version -> library that has it
    wants: list[tuple[str, str]]       # (symbol, version or "")
    has: set[str]


def _objdump(option: str, path: str) -> str:
    return subprocess.run(["objdump", option, path], check=True, stdout=subprocess.PIPE,
                          text=True).stdout


def read(path: str) -> Library:
    needs, version_of, wants, has = [], {}, [], set()
    source = ""
    for line in _objdump("-p", path).splitlines():
        words = line.split()
        if words[:1] == ["NEEDED"]:
            needs.append(words[1])
        elif words[:2] == ["required", "from"]:
            source = words[2].rstrip(":")
        elif source and len(words) == 4 and words[0].startswith("0x"):
            version_of[words[3]] = source
        else:
            source = ""
    for line in _objdump("-T", path).splitlines():
        # "0000 DF *UND* 0000 (version) name": Base, or nothing, where there is no version.
        match = re.match(r"\S+ (.{7}) (\S+)\s+\S+\s+(?:\(?([^\s()]+)\)?\s+)?(\S+)$", line)
        if not match:
            continue
        flags, section, version, name = match.groups()
        if section != "*UND*":
            has.add(name)
        elif "w" not in flags:
            wants.append((name, "" if version in (None, "Base") else version))
    return Library(os.path.basename(path), needs, version_of, wants, has)


def symbols(libraries: list[Library]) -> dict[str, set[tuple[str, str]]]:
    """What each missing library must export."""
    there = {library.name for library in libraries}
    defined = set().union(*(library.has for library in libraries))
    missing: dict[str, set[tuple[str, str]]] = {}
    for library in libraries:
        absent = [n for n in library.needs if n not in there and not SYSTEM.fullmatch(n)]
        for name in absent:
            missing.setdefault(name, set())
        for symbol, version in library.wants:
            source = library.version_of.get(version, "")
            if source in absent:
                missing[source].add((symbol, version))
            # Without a version it is taken from any library that has it. Those of Python, which
            # have none either, are in the interpreter.
            elif not version and symbol not in defined and absent and NVIDIA.match(symbol):
                missing[absent[0]].add((symbol, ""))
    return missing


def make(name: str, exports: set[tuple[str, str]], out: str) -> None:
    by_version = collections.defaultdict(list)
    for symbol, version in sorted(exports):
        by_version[version].append(symbol)
    with tempfile.TemporaryDirectory() as folder:
        source, script = folder + "/stub.c", folder + "/stub.map"
        with open(source, "w", encoding="utf-8") as f:
            for symbol in sorted({s for s, _ in exports}):
                f.write("int %s(void) { return 100; }\n" % symbol)
        with open(script, "w", encoding="utf-8") as f:
            for version, names in by_version.items():
                if version:
                    f.write("%s { global: %s; };\n" % (version, "; ".join(names)))
        command = ["gcc", "-shared", "-fPIC", "-w", "-fno-builtin", "-Wl,-soname," + name, "-o",
                   os.path.join(out, name), source]
        if any(by_version):
            command.append("-Wl,--version-script=" + script)
        subprocess.run(command, check=True)


def main() -> None:
    folder, out = sys.argv[1:]
    os.makedirs(out, exist_ok=True)
    paths = [os.path.join(folder, n) for n in sorted(os.listdir(folder)) if ".so" in n]
    missing = symbols([read(path) for path in paths if os.path.isfile(path)])
    for name, exports in missing.items():
        make(name, exports, out)
    print("%d stand-ins for CUDA libraries, %d symbols" % (
        len(missing), sum(len(exports) for exports in missing.values())))


if __name__ == "__main__":
    main()
