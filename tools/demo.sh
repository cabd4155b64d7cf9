#!/usr/bin/env bash
# Builds the demo and everything it starts, then runs it. CORRUPT=1 flips one landed byte;
# DEMO_FLAGS are handed on. Exits as the demo does.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

echo "demo: building (the first time takes some minutes)"
tools/bazel.sh build //tests/demo:demo

flags=()
[[ ${CORRUPT:-} == '' || ${CORRUPT:-} == 0 ]] || flags+=(--corrupt)
read -ra more <<<"${DEMO_FLAGS:-}"
exec bazel-bin/tests/demo/demo "${flags[@]}" "${more[@]}"
