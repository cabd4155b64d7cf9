#!/usr/bin/env bash
# Checks the rules of tests/build_graph/rules.txt alone; make test checks them too.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PYTHONPATH=. PYTHONDONTWRITEBYTECODE=1
exec /usr/bin/python3 -c '
from tools.testing import build_graph
result = build_graph.run()
result.print_report()
raise SystemExit(result.exit_status())'
