"""Every test that a document names, as `//package:target Case` in backticks, is in the tree."""
import re

from tools.tidy import finding

_NAMED = re.compile(r"`//([\w/]+):(\w+_test) ((?:\w+\.)?\w+)`")


def _has_case(text: str, case: str) -> bool:
    suite, _, name = case.rpartition(".")
    if not suite:
        return re.search(r"def %s\(" % name, text) is not None
    return re.search(r"TEST(_F|_P)?\(\s*%s,\s*%s\)" % (suite, name), text) is not None


class NamedTests:
    """Looks for tests among `paths`. A case stands in the target's own file, or in a suite that
    several targets link (`*_tests.cc`)."""

    def __init__(self, paths: list[str], read):
        self._paths = set(paths)
        self._read = read

    def _is_there(self, package: str, target: str, case: str) -> str:
        files = [f for f in ("%s/%s.%s" % (package, target, end) for end in ("cc", "py"))
                 if f in self._paths]
        build = package + "/BUILD.bazel"
        if build not in self._paths or '"%s"' % target not in self._read(build):
            return "//%s:%s is no target" % (package, target)
        files += [p for p in self._paths if p.endswith("_tests.cc")]
        if any(_has_case(self._read(f), case) for f in files):
            return ""
        return "//%s:%s has no case %s" % (package, target, case)

    def check(self, path: str, text: str) -> list[finding.Finding]:
        found = []
        for match in _NAMED.finditer(text):
            why = self._is_there(*match.groups())
            if why:
                line = text.count("\n", 0, match.start()) + 1
                found.append(finding.Finding(path, line, "named-test", why))
        return found
