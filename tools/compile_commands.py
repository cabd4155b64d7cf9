#!/usr/bin/python3
"""Writes compile_commands.json from Bazel's own action graph: clangd and the lint tools read it."""
import json
import os
import subprocess
import sys

# What gcc takes and the clang tools refuse or warn of.
_REFUSED = ("-fno-canonical-system-headers", "-Wno-free-nonheap-object", "-D__DATE__=",
            "-D__TIME__=", "-D__TIMESTAMP__=")


def commands(graph: dict, root: str) -> list[dict]:
    """One entry a source file of the tree, from the JSON of `bazel aquery`."""
    found = {}
    for action in graph.get("actions", []):
        args = [a for a in action["arguments"] if not a.startswith(_REFUSED)]
        source = args[args.index("-c") + 1]
        if not source.startswith(("bazel-out/", "external/")):
            found[source] = {"directory": root, "file": source, "arguments": args}
    return [found[source] for source in sorted(found)]


def main() -> int:
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    query = ["tools/bazel.sh", "aquery", "--output=jsonproto", 'mnemonic("CppCompile", //...)']
    done = subprocess.run(query, cwd=root, check=False, capture_output=True,
                          stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        sys.stderr.write(done.stderr.decode())
        return done.returncode
    entries = commands(json.loads(done.stdout), root)
    with open(os.path.join(root, "compile_commands.json"), "w", encoding="utf-8") as f:
        json.dump(entries, f, indent=1)
    print("compile_commands.json: %d files" % len(entries))
    return 0 if entries else 1


if __name__ == "__main__":
    sys.exit(main())
