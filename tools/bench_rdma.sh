#!/usr/bin/env bash
# Builds what `make bench-rdma` measures and runs it on the RDMA bed: bench/rdma/bench_rdma.py says
# how. BENCH_FLAGS go to it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

tools/bazel.sh build -c opt //bench/rdma/...
read -ra flags <<<"${BENCH_FLAGS:-}"
export PYTHONPATH=. PYTHONDONTWRITEBYTECODE=1
exec /usr/bin/python3 -m bench.rdma.bench_rdma "${flags[@]}" "$@"
