#!/usr/bin/env bash
# Runs one unittest file from the repository's root, as the rule python_test asks.
set -euo pipefail
export PYTHONPATH=$PWD${PYTHONPATH:+:$PYTHONPATH} PYTHONDONTWRITEBYTECODE=1
exec /usr/bin/python3 -P tools/testing/unittest_xml.py "$@"
