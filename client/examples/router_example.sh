#!/usr/bin/env bash
# Runs router_example.py on the stubs that the build made.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
PYTHONPATH=$here/../python/v1 exec /usr/bin/python3 -B "$here/router_example.py" "$@"
