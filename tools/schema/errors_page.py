"""Writes docs/errors.md from common/reason.h and from the comments of the schema's calls.

    PYTHONPATH=. python3 -m tools.schema.errors_page     writes it anew (`make docs-errors`)
"""
import glob
import os
import sys

from tools.schema import reasons
from tools.schema import rpcs

PAGE = "docs/errors.md"

_HEAD = """# Errors

Generated from `common/reason.h` and `proto/baton/v1/` by `make docs-errors`: do not edit.

Every expected failure has a *reason* from this table. Programs branch on it and on nothing else;
the text beside it is for people: it names the field, the value, and the limit or the other value.

| where | how the reason is read |
|---|---|
| gRPC | the status's `error_details`: a serialized `baton.v1.ErrorDetail` |
| C++ | `ReasonOf(status)`, `RankOf(status)` of `common/reason.h` |
| completion table | the 16-bit number |
| control streams, `batonctl -o json` | `ErrorDetail` |

A name that you do not know comes from a newer peer: go by the gRPC code. `UNAVAILABLE` may pass and
is worth another try; the others are not before something changed: see what to do.

## Reasons

| number | reason | gRPC code | what to do | calls that give it |
|---|---|---|---|---|
"""


def schema_files(root: str) -> list[str]:
    return sorted(os.path.relpath(path, root)
                  for path in glob.glob(os.path.join(root, "proto/baton/v1/*.proto")))


def _read(root: str, path: str) -> str:
    with open(os.path.join(root, path), encoding="utf-8") as file:
        return file.read()


def calls(root: str) -> tuple[list[rpcs.Rpc], dict[str, list[str]]]:
    found, shared = [], {}
    for path in schema_files(root):
        here, of_service = rpcs.read(path, _read(root, path))
        found += here
        shared.update(of_service)
    return found, shared


def table(root: str) -> list[reasons.Reason]:
    return reasons.read(_read(root, "common/reason.h"))


def render(root: str) -> str:
    found, shared = calls(root)
    page = _HEAD
    for reason in table(root):
        givers = ["every call of `%s`" % service for service, names in sorted(shared.items())
                  if reason.name in names]
        givers += ["`%s`" % rpc.full_name for rpc in found if reason.name in rpc.reasons()]
        page += "| %d | `%s` | `%s` | %s | %s |\n" % (
            reason.number, reason.name, reason.code, reason.help, ", ".join(givers))
    page += "\n## Calls\n\n| call | idempotent | deadline | errors of its own |\n"
    page += "|---|---|---|---|\n"
    for rpc in found:
        facts = [rpc.facts.get(fact, "").replace("|", "\\|")
                 for fact in ("Idempotent", "Deadline", "Errors")]
        page += "| `%s` | %s |\n" % (rpc.full_name, " | ".join(facts))
    return page


def main() -> int:
    root = os.getcwd()
    with open(os.path.join(root, PAGE), "w", encoding="utf-8") as file:
        file.write(render(root))
    print("wrote %s" % PAGE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
