#!/usr/bin/env bash
# Writes the pages of docs/ that come out of tables in the code; tests hold them against it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# PAGE TARGET: what the target prints is the page.
pages=(
  "docs/configuration.md //admin/docs:print_configuration"
  "docs/metrics.md //common/metrics:print_docs"
)

targets=()
for page in "${pages[@]}"; do targets+=("${page#* }"); done
tools/bazel.sh build "${targets[@]}"
for page in "${pages[@]}"; do
  path=${page#* //}
  "bazel-bin/${path/://}" >"${page%% *}.new"
  mv "${page%% *}.new" "${page%% *}"
  echo "docs: ${page%% *}"
done
