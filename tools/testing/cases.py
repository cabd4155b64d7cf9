"""The single cases of one test target, read from its test.xml (GoogleTest's or Bazel's own)."""
import xml.etree.ElementTree as ElementTree

from tools.testing import tally


def _text(element: ElementTree.Element) -> str:
    lines = ((element.get("message") or element.text or "").strip()).splitlines()
    return lines[0] if lines else ""


def _case_name(case: ElementTree.Element) -> str:
    suite = case.get("classname") or ""
    name = case.get("name") or "?"
    return "%s.%s" % (suite, name) if suite else name


def read_xml(label: str, text: str) -> tally.Tally:
    """Raises ElementTree.ParseError when `text` is no XML, as after a crash in mid-write."""
    result = tally.Tally()
    for case in ElementTree.fromstring(text).iter("testcase"):
        name = "%s %s" % (label, _case_name(case))
        bad = [child for child in case if child.tag in ("failure", "error")]
        skip = case.find("skipped")
        if bad:
            result.failed.append("%s: %s" % (name, _text(bad[0])))
        elif skip is not None or case.get("result") == "skipped":
            why = _text(skip) if skip is not None else ""
            result.skipped.append("%s: %s" % (name, why))
        elif case.get("status") in ("notrun", "disabled"):
            result.skipped.append("%s: disabled" % name)
        else:
            result.passed += 1
    return result


def judge(label: str, target_passed: bool, text: str | None) -> tally.Tally:
    """The cases of a target, made to agree with how its process ended.

    A sanitizer's report at exit or a crash fails a target whose cases all passed; a target that
    passed without a case has tested nothing.
    """
    try:
        result = read_xml(label, text or "")
    except ElementTree.ParseError:
        result = tally.Tally()
        if target_passed:
            result.failed.append("%s: left no readable test.xml" % label)
    if not target_passed and not result.failed:
        result.failed.append(label + ": failed outside its cases (crash, time-out or sanitizer)")
    elif target_passed and not (result.passed or result.skipped or result.failed):
        result.failed.append("%s: holds no test" % label)
    return result
