"""Rules about who may depend on whom, checked with `bazel query`.

tests/build_graph/rules.txt has one a line:

    only   NAME  ROOTS  ALLOWED...    the roots depend on nothing outside ROOTS and ALLOWED
    never  NAME  ROOTS  REFUSED...    the roots depend on none of these
    nopath NAME  FROM   TO...         `bazel query 'somepath(FROM, TO)'` finds nothing, for each TO
    needs  NAME  ROOTS  NEEDED...     the roots do depend on each of these (so `never` can fail)
    tagged NAME  TAG    FILE          the targets with TAG are those that FILE lists with a reason

ROOTS is a query pattern without spaces, such as //tests/demo/engine/... or a +-separated list of
them; the others are labels, or packages ending in /... . Each rule counts as one test.
"""
import dataclasses
import subprocess

from tools.testing import tally

_RULES = "tests/build_graph/rules.txt"
_KINDS = ("only", "never", "nopath", "needs", "tagged")


class BadRule(Exception):
    pass


@dataclasses.dataclass(frozen=True)
class Rule:
    kind: str
    name: str
    roots: str
    labels: tuple[str, ...]


def read_rules(text: str) -> list[Rule]:
    rules = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) < 4 or words[0] not in _KINDS:
            raise BadRule("line %d: want '%s NAME ROOTS LABELS...'"
                          % (number, "|".join(_KINDS)))
        rules.append(Rule(words[0], words[1], words[2], tuple(words[3:])))
    return rules


def matches(label: str, pattern: str) -> bool:
    """Whether a label is the pattern, or lies under it when it ends in /... ."""
    if pattern.endswith("/..."):
        base = pattern[:-len("/...")]
        return label.startswith(base + ":") or label.startswith(base + "/")
    if ":" not in pattern:
        pattern = "%s:%s" % (pattern, pattern.rsplit("/", 1)[1])
    return label == pattern


def _any(label: str, patterns) -> bool:
    return any(matches(label, pattern) for pattern in patterns)


def judge(rule: Rule, deps: list[str]) -> str:
    """Why the dependencies `deps` break the rule; empty when they do not."""
    deps = [d for d in deps if d.startswith("//")]
    if not deps:
        return "%s names no target" % rule.roots
    if rule.kind == "only":
        allowed = rule.labels + tuple(rule.roots.split("+"))
        bad = [d for d in deps if not _any(d, allowed)]
        return "must not depend on " + ", ".join(bad) if bad else ""
    if rule.kind == "never":
        bad = [d for d in deps if _any(d, rule.labels)]
        return "must not depend on " + ", ".join(bad) if bad else ""
    missing = [p for p in rule.labels if not any(matches(d, p) for d in deps)]
    return "should depend on " + ", ".join(missing) if missing else ""


def judge_path(path: list[str], target: str) -> str:
    """Why the answer of `somepath` breaks the rule; empty when there is no path."""
    return "reaches %s: %s" % (target, " -> ".join(path)) if path else ""


def judge_tags(tag: str, labels: list[str], listing: str) -> str:
    """Why the tagged targets and the list `TAG //label reason` differ; empty when they agree."""
    listed = {}
    for line in listing.splitlines():
        words = line.split(None, 2)
        if words and words[0] == tag:
            if len(words) < 3:
                return "'%s' has no reason" % line
            listed[words[1]] = words[2]
    wrong = ["%s is tagged but not listed" % label for label in labels if label not in listed]
    wrong += ["%s is listed but not tagged" % label for label in listed if label not in labels]
    return "; ".join(wrong)


def _query(expression: str) -> list[str]:
    command = ["tools/bazel.sh", "query", "--noimplicit_deps", "--output=label", expression]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        raise BadRule("bazel query '%s': %s" % (expression, done.stderr.strip()[-600:]))
    return done.stdout.split()


def _check(rule: Rule) -> str:
    try:
        if rule.kind == "tagged":
            with open(rule.labels[0], encoding="utf-8") as f:
                return judge_tags(rule.roots, _query('attr(tags, "\\b%s\\b", //...)' % rule.roots),
                                  f.read())
        if rule.kind == "nopath":
            paths = (judge_path(_query("somepath(%s, %s)" % (rule.roots, to)), to)
                     for to in rule.labels)
            return "; ".join(path for path in paths if path)
        return judge(rule, _query('kind(rule, deps(%s))' % rule.roots.replace("+", " + ")))
    except (BadRule, OSError) as error:
        return str(error)


def run() -> tally.Tally:
    print("Build graph: who may depend on whom (%s)" % _RULES, flush=True)
    result = tally.Tally()
    with open(_RULES, encoding="utf-8") as f:
        rules = read_rules(f.read())
    for rule in rules:
        why = _check(rule)
        if why:
            result.failed.append("build graph %s: %s" % (rule.name, why))
        else:
            result.passed += 1
    return result
