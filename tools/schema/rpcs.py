"""Reads what the schema says of its calls: every rpc's comment states, each on a line of its own,

    // Idempotent: ...
    // Order: ...
    // Deadline: ...
    // Errors: REASON, REASON (when) ...

and the comment of a service may state `Errors of every call: ...`.
"""
import dataclasses
import re

FACTS = ("Idempotent", "Order", "Deadline", "Errors")
_SHARED = "Errors of every call"
_KEYS = FACTS + (_SHARED,)
_RPC = re.compile(r"^\s*rpc (\w+)\s*\(")
_SERVICE = re.compile(r"^service (\w+) \{")
_REASON = re.compile(r"\b[A-Z]{2,}(?:_[A-Z]+)*\b")


@dataclasses.dataclass
class Rpc:
    path: str
    line: int
    service: str
    name: str
    prose: str
    facts: dict[str, str]

    @property
    def full_name(self) -> str:
        return "%s.%s" % (self.service, self.name)

    def reasons(self) -> list[str]:
        """Names in capitals, outside of parentheses."""
        return _REASON.findall(re.sub(r"\([^)]*\)", "", self.facts.get("Errors", "")))


def _split(comment: list[str]) -> tuple[str, dict[str, str]]:
    """The comment's prose, and what follows each key."""
    prose, facts, key = [], {}, None
    for line in comment:
        head, colon, rest = line.partition(": ")
        if colon and head in _KEYS:
            key = head
            facts[key] = rest
        elif not line:
            key = None
        elif key:
            facts[key] += " " + line
        else:
            prose.append(line)
    return " ".join(prose), facts


def read(path: str, text: str) -> tuple[list[Rpc], dict[str, list[str]]]:
    """The rpcs of a file, and the reasons that each service gives for all of its calls."""
    found, shared, comment, service = [], {}, [], ""
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if stripped.startswith("//"):
            comment.append(stripped[2:].strip())
            continue
        prose, facts = _split(comment)
        if match := _SERVICE.match(line):
            service = match.group(1)
            shared[service] = _REASON.findall(re.sub(r"\([^)]*\)", "", facts.get(_SHARED, "")))
        elif match := _RPC.match(line):
            found.append(Rpc(path, number, service, match.group(1), prose, facts))
        comment = []
    return found, shared


def complaints(rpc: Rpc, known_reasons: set[str]) -> list[str]:
    """What is missing or wrong, a line each."""
    where = "%s:%d: rpc %s: " % (rpc.path, rpc.line, rpc.name)
    found = []
    if not rpc.prose:
        found.append(where + "its comment does not say what it does")
    for fact in FACTS:
        if not rpc.facts.get(fact):
            found.append(where + "its comment has no line '%s: ...'" % fact)
    for reason in rpc.reasons():
        if reason not in known_reasons:
            found.append(where + "%s is no reason of common/reason.h" % reason)
    if rpc.facts.get("Errors") and not rpc.reasons() and "none" not in rpc.facts["Errors"]:
        found.append(where + "'Errors:' names no reason; say 'none of its own' if so")
    return found
