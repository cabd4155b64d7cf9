#!/usr/bin/env bash
# Builds //bench with optimisation and runs its programs one after another. BENCH=NAME picks those
# whose name contains NAME; BENCH_FLAGS go to each. Those of //bench/rdma need a device: make
# bench-rdma.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

mapfile -t benches < <(tools/bazel.sh query 'kind("cc_binary rule", //bench/...)' 2>/dev/null |
  grep -v '^//bench/rdma:' | grep -F -- "${BENCH:-}" | sort)
if [[ ${#benches[@]} -eq 0 ]]; then
  echo "bench: no bench's name contains '${BENCH:-}' (bazel query //bench/... lists them)" >&2
  exit 1
fi

echo "bench: building ${#benches[@]} programs with -c opt"
tools/bazel.sh build -c opt "${benches[@]}"

read -ra flags <<<"${BENCH_FLAGS:-}"
failed=()
for bench in "${benches[@]}"; do
  path=${bench#//}
  echo
  echo "== $bench"
  "bazel-bin/${path/://}" "${flags[@]}" </dev/null || failed+=("$bench")
done

[[ ${#failed[@]} -eq 0 ]] && exit
echo "bench: failed: ${failed[*]}" >&2
exit 1
