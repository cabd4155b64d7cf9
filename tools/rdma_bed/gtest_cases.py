"""GoogleTest's cases as the bed sees them: the list that a binary gives of itself on the host, and
the verdicts that it printed in the guest. A case that is in the list and printed no verdict has
failed."""
import re

from tools.testing import tally

_VERDICT = re.compile(r"\[ +(OK|FAILED|SKIPPED) +\] ([^ ,]+\.[^ ,]+)(?:,.*)? \(\d+ ms\)")


def read_list(text: str) -> list[str]:
    """From --gtest_list_tests: suites end in a dot, their cases are indented below."""
    names, suite = [], None
    for line in text.splitlines():
        name = line.split("#", 1)[0].rstrip()
        if not line.startswith(" "):
            suite = name if name.endswith(".") and " " not in name else None
        elif suite and name.strip():
            names.append(suite + name.strip())
    return names


def read_verdicts(lines: list[str]) -> dict[str, set[str]]:
    """The verdicts of each case: two different ones for one name are a failure."""
    verdicts: dict[str, set[str]] = {}
    for line in lines:
        for verdict, name in _VERDICT.findall(line):
            verdicts.setdefault(name, set()).add(verdict)
    return verdicts


def _is_disabled(name: str) -> bool:
    return any(part.startswith("DISABLED_") for part in re.split(r"[./]", name))


def judge(target: str, where: str, listed: list[str], lines: list[str],
          failure: str) -> tally.Tally:
    """`where` is the guest that ran `target`; `failure` says why the whole program is not to be
    believed, empty when nothing is wrong. Names are as in tests/allowed_skips."""
    result = tally.Tally()
    verdicts = read_verdicts(lines)
    for name in listed:
        of_case = verdicts.pop(name, set())
        if of_case == {"OK"}:
            result.passed += 1
        elif of_case == {"SKIPPED"}:
            result.skipped.append("%s %s: skipped on %s" % (target, name, where))
        elif _is_disabled(name) and not of_case:
            result.skipped.append("%s %s: disabled" % (target, name))
        else:
            what = "failed on" if of_case else "printed no verdict on"
            result.failed.append("%s %s: %s %s" % (target, name, what, where))
    result.failed += ["%s %s: printed a verdict on %s, but the binary does not list it"
                      % (target, name, where) for name in sorted(verdicts)]
    if not listed:
        result.failed.append(target + ": lists no test")
    # The cases that failed say more than the status that follows from them.
    if failure and not result.failed:
        result.failed.append("%s on %s: %s" % (target, where, failure))
    return result
