"""What tidy found, and how a file says that a rule does not hold at one place."""
import dataclasses
import re

# `tidy-allow(rule): why` on the line itself or on the line above it.
_ALLOW = re.compile(r"tidy-allow\(([a-z-]+)\): \S")


@dataclasses.dataclass(frozen=True)
class Finding:
    path: str
    line: int
    rule: str
    text: str

    def __str__(self) -> str:
        return "%s:%d: %s [%s]" % (self.path, self.line, self.text, self.rule)


def is_allowed(finding: Finding, lines: list[str]) -> bool:
    for number in (finding.line, finding.line - 1):
        if 1 <= number <= len(lines):
            match = _ALLOW.search(lines[number - 1])
            if match and match.group(1) == finding.rule:
                return True
    return False
