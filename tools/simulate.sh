#!/usr/bin/env bash
# Runs many histories of the simulation and keeps the figures in docs/simulation.txt.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
histories="${HISTORIES:-100000}"
seed="${SEED:-1}"
echo "simulate: ${histories} histories from seed ${seed}"
tools/bazel.sh build //tests/simulation
bazel-bin/tests/simulation/simulation "--seed=${seed}" "--histories=${histories}" |
  tee docs/simulation.txt
