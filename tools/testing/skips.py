"""tests/allowed_skips: the tests that may skip in CI, each with its reason.

A line is `//package:target Suite.Case reason in words`; `#` starts a comment.
"""
from tools.testing import tally


class BadSkipList(Exception):
    pass


def read_allowed(text: str) -> dict[str, str]:
    """Maps "//package:target Suite.Case" to its reason."""
    allowed = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        words = line.split(None, 2)
        if len(words) < 3 or not words[0].startswith("//"):
            raise BadSkipList("line %d is not '//package:target Suite.Case reason'" % number)
        allowed[" ".join(words[:2])] = words[2]
    return allowed


def refuse_unlisted(result: tally.Tally, allowed: dict[str, str]) -> None:
    """Turns each skip that is not listed into a failure."""
    kept = []
    for skip in result.skipped:
        name = skip.split(": ", 1)[0]
        if name in allowed:
            kept.append("%s (allowed: %s)" % (skip, allowed[name]))
        else:
            result.failed.append("%s (a skip that tests/allowed_skips does not list)" % skip)
    result.skipped = kept
