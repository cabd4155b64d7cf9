#!/usr/bin/env bash
# clang-format over every C++ and proto file of the tree: rewrites them, or with --check only tells.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

command -v clang-format-14 >/dev/null || {
  echo "format: clang-format-14 is not installed: run make setup" >&2
  exit 1
}

mapfile -t files < <(git ls-files -co --exclude-standard -- '*.h' '*.cc' '*.proto' | sort -u)
existing=()
for file in "${files[@]}"; do [[ -f $file ]] && existing+=("$file"); done

if [[ ${1:-} == --check ]]; then
  if ! out=$(clang-format-14 --dry-run --Werror "${existing[@]}" 2>&1); then
    # The first place in each file is enough to find it.
    grep -E ': error: ' <<<"$out" | sort -t: -k1,1 -u | cut -d' ' -f1
    echo "format: these files are not formatted: run make format" >&2
    exit 1
  fi
  echo "format: ${#existing[@]} files are formatted"
else
  clang-format-14 -i "${existing[@]}"
  echo "format: ${#existing[@]} files"
fi
