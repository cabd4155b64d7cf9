"""The C ABI is what client/c/abi.txt says: a change there is a change for every program that was
built before. Adding is allowed (write the new page with `bazel run //client/c:abi_dump` and raise
BATON_ABI_VERSION); what is there must stay."""
import ctypes
import re
import subprocess
import unittest

from baton import _abi

FOLDER = "client/c/"


def read(name: str) -> str:
    with open(FOLDER + name, encoding="utf-8") as file:
        return file.read()


def dump() -> str:
    return subprocess.run([FOLDER + "abi_dump"], check=True, capture_output=True,
                          text=True).stdout


def struct_name(python_name: str) -> str:
    return "baton_" + re.sub(r"(?<!^)([A-Z])", r"_\1", python_name).lower()


class AbiTest(unittest.TestCase):
    def test_constants_and_structs_are_those_of_the_committed_page(self):
        self.assertEqual(dump(), read("abi.txt").split("\n\n", 1)[1])

    def test_the_library_exports_the_calls_of_the_committed_page_and_no_others(self):
        table = subprocess.run(["/usr/bin/nm", "-D", "--defined-only", FOLDER + "libbaton_c.so"],
                               check=True, capture_output=True, text=True).stdout
        exported = sorted(re.findall(r" T (\w+)$", table, re.M))
        self.assertEqual(exported, read("abi.txt").split("\n\n", 1)[0].split("\n"))

    def test_the_headers_declare_what_the_library_exports(self):
        declared = set()
        for header in ("baton.h", "baton_error.h", "baton_layout.h", "baton_peer.h",
                       "baton_pool.h"):
            declared |= set(re.findall(r"^BATON_API [^;(]*?(\w+)\(", read(header), re.M))
        self.assertEqual(sorted(declared), read("abi.txt").split("\n\n", 1)[0].split("\n"))

    def test_pythons_structs_are_the_same(self):
        """Every struct of the ABI is in _abi.py, field by field."""
        sizes = {}
        for line in dump().split("\n"):
            words = line.split()
            if line.startswith("baton_"):
                name = words[0]
                sizes[name] = (int(words[1]), [])
            elif line.startswith("  "):
                sizes[name][1].append((words[0], int(words[1]), int(words[2])))
        ours = {}
        for name, struct in vars(_abi).items():
            if isinstance(struct, type) and issubclass(struct, ctypes.Structure):
                fields = [(f[0], getattr(struct, f[0]).offset, getattr(struct, f[0]).size)
                          for f in struct._fields_]
                ours[struct_name(name)] = (ctypes.sizeof(struct), fields)
        self.assertEqual(ours, sizes)


if __name__ == "__main__":
    unittest.main()
