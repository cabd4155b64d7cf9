#!/usr/bin/env bash
# Runs router_example.py on the stubs that the build made beside it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
PYTHONPATH=$here/stubs exec /usr/bin/python3 -B "$here/router_example.py" "$@"
