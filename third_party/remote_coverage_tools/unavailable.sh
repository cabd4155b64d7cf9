#!/bin/sh
echo "bazel coverage is not supported here; docs/testing.md says how coverage is measured" >&2
exit 1
