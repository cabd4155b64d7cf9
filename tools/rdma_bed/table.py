"""suite.txt: what runs on the bed. One program a line:

    WHERE KIND LIMIT_S TARGET [ARGUMENT...]

WHERE is `uml` (one User-Mode Linux guest), `two` (two of them with a wire for each rail) or `tcg`
(Debian's own kernel under emulation). KIND is `gtest` (every case that the binary lists is counted)
or `program` (counted as one, passed when it exits with 0). `#` starts a comment.
"""
import dataclasses
import shlex

WHERES = ("uml", "two", "tcg")
_KINDS = ("gtest", "program")
_LIMIT_S_MAX = 300


class BadTable(Exception):
    pass


@dataclasses.dataclass(frozen=True)
class Entry:
    where: str
    kind: str
    limit_s: int
    target: str
    arguments: tuple[str, ...]

    def label(self) -> str:
        return " ".join(("%s:" % self.where, self.target) + self.arguments)

    def path(self) -> str:
        """Where Bazel puts the program, from the repository's root."""
        return "bazel-bin/" + self.target[2:].replace(":", "/")

    def command(self) -> list[str]:
        return [self.path()] + list(self.arguments)


def _read_line(words: list[str]) -> Entry:
    if len(words) < 4:
        raise BadTable("is not 'WHERE KIND LIMIT_S TARGET [ARGUMENT...]'")
    where, kind, limit, target = words[:4]
    if where not in WHERES or kind not in _KINDS:
        raise BadTable("'%s %s': the first word is one of %s, the second one of %s"
                       % (where, kind, " ".join(WHERES), " ".join(_KINDS)))
    if not limit.isdigit() or not 0 < int(limit) <= _LIMIT_S_MAX:
        raise BadTable("'%s' is no limit of 1 to %d seconds" % (limit, _LIMIT_S_MAX))
    if not target.startswith("//") or ":" not in target:
        raise BadTable("'%s' is not //package:target" % target)
    return Entry(where, kind, int(limit), target, tuple(words[4:]))


def read(text: str) -> list[Entry]:
    entries = []
    for number, line in enumerate(text.splitlines(), 1):
        words = shlex.split(line, comments=True)
        if not words:
            continue
        try:
            entries.append(_read_line(words))
        except BadTable as bad:
            raise BadTable("line %d %s" % (number, bad)) from None
    return entries
