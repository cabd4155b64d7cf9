#!/usr/bin/env bash
# Builds every fuzz target and runs each for a while, starting from its corpus in tests/corpora/.
# Closes with `N passed, N failed, N skipped`, one for each target.
#
#   FUZZ_SECONDS=20   for each target
#   FUZZ=NAME         those whose name contains NAME
#   FUZZ_KEEP=1       add what was found to the corpus, reduced to what adds coverage
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

seconds=${FUZZ_SECONDS:-20}
mapfile -t targets < <(tools/bazel.sh query 'attr(tags, "\bfuzz\b", //...)' 2>/dev/null |
  grep -F -- "${FUZZ:-}" | sort)
if [[ ${#targets[@]} -eq 0 ]]; then
  echo "fuzz: no target's name contains '${FUZZ:-}'" >&2
  exit 1
fi
tools/bazel.sh build --config=fuzz "${targets[@]}"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export UBSAN_OPTIONS=print_stacktrace=1
passed=0
failed=0
for target in "${targets[@]}"; do
  name=${target##*:}
  path=${target#//}
  program=bazel-bin/${path/://}
  kept=tests/corpora/$name.txt
  corpus=$scratch/$name.kept
  found=$scratch/$name
  mkdir "$found" "$corpus"
  /usr/bin/python3 tools/corpus.py unpack "$kept" "$corpus"
  status=0
  "$program" "-max_total_time=$seconds" -rss_limit_mb=1024 -timeout=20 -max_len=8192 \
    "-artifact_prefix=$scratch/$name-" "$found" "$corpus" >"$scratch/$name.log" 2>&1 </dev/null ||
    status=$?
  runs=$(grep -oE 'Done [0-9]+ runs' "$scratch/$name.log" || true)
  if [[ $status -eq 0 && -n $runs ]]; then
    passed=$((passed + 1))
    echo "fuzz: $name: ${runs#Done } in $seconds s, $(find "$corpus" -type f | wc -l) inputs kept"
  else
    failed=$((failed + 1))
    echo "fuzz: $name FAILED (status $status):"
    tail -n 40 "$scratch/$name.log"
    for input in "$scratch/$name"-*; do
      [[ -f $input ]] && echo "input (base64): $(base64 -w0 "$input")"
    done
  fi
  if [[ -n ${FUZZ_KEEP:-} && $status -eq 0 ]]; then
    reduced=$scratch/$name.reduced
    mkdir "$reduced"
    "$program" -merge=1 -max_len=512 "$reduced" "$corpus" "$found" >/dev/null 2>&1 </dev/null
    /usr/bin/python3 tools/corpus.py pack "$reduced" "$kept"
  fi
done
echo "$passed passed, $failed failed, 0 skipped"
[[ $failed -eq 0 ]]
