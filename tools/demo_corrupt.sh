#!/usr/bin/env bash
# The demo must notice one flipped byte: it ends FAIL and says where.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
CORRUPT=1 DEMO_FLAGS=--short tools/demo.sh 2>&1 | tee "$log" || status=$?

last=$(grep -v '^$' "$log" | tail -n 1)
if [[ $status -eq 0 || $last != "demo: FAIL"* ]]; then
  echo "corrupt: the demo did not fail (status $status): $last" >&2
  exit 1
fi
for word in room layer page byte; do
  grep -qE "\b$word\b" <<<"$last" || {
    echo "corrupt: the demo's last line does not name the $word: $last" >&2
    exit 1
  }
done
echo "corrupt: caught, as it must be"
