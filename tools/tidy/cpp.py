"""C++: include guards, and what the project does not use."""
import re

from tools.tidy import cpp_source
from tools.tidy import finding

# (rule, where it holds, pattern, what to say)
_BANNED = (
    ("string-view", lambda path: True, re.compile(r"\bstd::string_view\b"),
     "use absl::string_view: Debian's Abseil does not convert from the other"),
    ("sleep", lambda path: path.startswith("tests/") or path.endswith("_test.cc"),
     re.compile(r"\b(sleep_for|sleep_until|usleep|nanosleep|sleep)\s*\("),
     "tests do not sleep: use Eventually() of tests/support/eventually.h or a clock of their own"),
    ("exception", lambda path: True, re.compile(r"\b(throw\b(?!\s*\(\s*\))|try\s*\{|catch\s*\()"),
     "no exceptions: return an absl::Status"),
    ("mutex", lambda path: path != "common/mutex.h",
     re.compile(r"\b(std::(recursive_|shared_|timed_)?mutex|absl::Mutex)\b"),
     "use common/mutex.h, which the analysers understand"),
    ("using-namespace", lambda path: True,
     re.compile(r"\busing\s+namespace\s+(?!std::(chrono_)?literals|std::chrono_literals)"),
     "no using namespace"),
)


def guard(path: str) -> str:
    return "BATON_" + re.sub(r"[^A-Za-z0-9]", "_", path).upper() + "_"


def _check_guard(path: str, text: str) -> list[finding.Finding]:
    want = guard(path)
    match = re.search(r"^#ifndef (\w+)\n#define (\w+)\n", text, re.MULTILINE)
    ends = text.rstrip().endswith("#endif  // " + want)
    if match and match.group(1) == match.group(2) == want and ends:
        return []
    return [finding.Finding(path, 1, "guard", "the include guard is not %s" % want)]


def check(path: str, text: str) -> list[finding.Finding]:
    found = _check_guard(path, text) if path.endswith(".h") else []
    for number, line in enumerate(cpp_source.strip(text).split("\n"), 1):
        for rule, holds, pattern, what in _BANNED:
            if holds(path) and pattern.search(line):
                found.append(finding.Finding(path, number, rule, what))
    return found
