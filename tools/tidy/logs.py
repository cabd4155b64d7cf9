"""Log lines of the programs: what they are about comes first, and a warning says why.

A line begins with a subject of _SUBJECTS and its id, as in `LOG(INFO) << "peer " << address`, or
with an id's ToString(). A warning or an error has its cause behind a colon. Floods are kept back
and counted by common/flood_gate.h, so glog's own ways of leaving lines out are not used.
"""
import re

from tools.tidy import cpp_source
from tools.tidy import finding

_SUBJECTS = ("admin", "agent", "attach", "channel", "check", "grpc", "health", "listener", "peer",
             "rank", "registry", "room", "router", "server", "transport", "verbs", "watch",
             "worker")
_FOLDERS = ("admin/", "bootstrap_service/", "client/", "common/", "planner/", "transfer_agent/")
_LITERAL = r'"(?:[^"\\]|\\.)*"'
_LOG = re.compile(r"\bLOG\((\w+)\)\s*<<\s*((?:%s|[^;\"])*);" % _LITERAL)
_OTHER = re.compile(r"\b(LOG_EVERY_\w+|LOG_FIRST_\w+|LOG_IF\w*|VLOG\w*)\(")
_SUBJECT = re.compile(r'"(%s)[ :]' % "|".join(_SUBJECTS))


def _is_ours(path: str) -> bool:
    return (path.startswith(_FOLDERS) and path.endswith((".cc", ".h")) and
            not path.endswith("_test.cc") and "/testing" not in path)


def check(path: str, text: str) -> list[finding.Finding]:
    if not _is_ours(path):
        return []
    found = []
    for number, line in enumerate(cpp_source.strip(text).split("\n"), 1):
        if _OTHER.search(line):
            found.append(finding.Finding(path, number, "log", "LOG alone: floods are counted"))
    code = cpp_source.strip_comments(text)
    for match in _LOG.finditer(code):
        severity, said = match.group(1), match.group(2)
        line = code.count("\n", 0, match.start()) + 1
        if severity == "FATAL":
            continue
        if not said.startswith("ToString(") and not _SUBJECT.match(said):
            found.append(finding.Finding(path, line, "log", "does not begin with what it is about "
                                         "(tools/tidy/logs.py)"))
        elif severity != "INFO" and not any(":" in each for each in re.findall(_LITERAL, said)):
            found.append(finding.Finding(path, line, "log", "names no cause behind a colon"))
    return found
