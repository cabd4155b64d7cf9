#!/usr/bin/env bash
# SGLang's time to the first token over Baton and over Mooncake; bench/engines/sglang_bench.py says
# how. Its engines and Mooncake listen on all addresses: they get a network of their own.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
tools/bazel.sh build //bootstrap_service/app:baton-bootstrap //transfer_agent/app:baton-agent \
  //client/c:libbaton_c.so //client/ctl:batonctl
SGLANG_FOLDER=$(tools/engines/sglang_install.sh --bench | tail -n 1)
export SGLANG_FOLDER PYTHONPATH=. PYTHONDONTWRITEBYTECODE=1
# shellcheck disable=SC2016  # the inner shell expands it
exec unshare --net --pid --mount --fork --kill-child --mount-proc bash -c \
  'ip link set lo up && exec "$@"' bash /usr/bin/python3 -m bench.engines.sglang_bench "$@"
