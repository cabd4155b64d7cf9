"""Tests written in Python, for /usr/bin/python3: Bazel 4's py_test wants another interpreter."""

def python_test(name, src, data = [], tags = [], **kwargs):
    """A unittest file whose cases are counted one by one.

    Imports are from the repository's root (`from tools.testing import cases`).

    Args:
      name: the test.
      src: the unittest file.
      data: what it imports and reads.
      tags: as of any test.
      **kwargs: passed on to sh_test.
    """
    native.sh_test(
        name = name,
        srcs = ["//tools:python_test.sh"],
        args = ["$(rootpath %s)" % src],
        data = data + [src, "//tools/testing:unittest_xml.py"],
        tags = tags,
        **kwargs
    )
