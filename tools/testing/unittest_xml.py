"""Runs a unittest file and writes each case to $XML_OUTPUT_FILE, as GoogleTest does under Bazel."""
import importlib.util
import os
import sys
import unittest
import xml.etree.ElementTree as ElementTree


class _Result(unittest.TextTestResult):
    """Remembers every case with its outcome."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.cases = []

    def _note(self, test, tag=None, message=""):
        self.cases.append((test.id(), tag, message))

    def addSuccess(self, test):
        super().addSuccess(test)
        self._note(test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._note(test, "failure", str(err[1]))

    def addError(self, test, err):
        super().addError(test, err)
        self._note(test, "error", str(err[1]))

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._note(test, "skipped", reason)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._note(subtest, "failure", str(err[1]))


def _write_xml(cases, path):
    suite = ElementTree.Element("testsuite", name="python", tests=str(len(cases)))
    for ident, tag, message in cases:
        classname, _, name = ident.partition(".")[2].rpartition(".")
        case = ElementTree.SubElement(suite, "testcase", classname=classname, name=name)
        if tag:
            ElementTree.SubElement(case, tag, message=message)
    ElementTree.ElementTree(suite).write(path, encoding="utf-8")


def main(path: str) -> int:
    spec = importlib.util.spec_from_file_location("test_file", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    tests = unittest.defaultTestLoader.loadTestsFromModule(module)
    result = unittest.TextTestRunner(resultclass=_Result, verbosity=2).run(tests)
    if "XML_OUTPUT_FILE" in os.environ:
        _write_xml(result.cases, os.environ["XML_OUTPUT_FILE"])
    return 0 if result.wasSuccessful() and result.cases else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
