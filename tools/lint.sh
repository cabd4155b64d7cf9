#!/usr/bin/env bash
# All that reads the code without running it: clang-format, shellcheck, Clang's thread-safety
# analysis, clang-tidy.
#
#   tools/lint.sh                             all files
#   tools/lint.sh --changed 30 --budget 200   files of the last 30 commits, newest first, in 200 s
#   tools/lint.sh FILE...                     these
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

for tool in clang-format-14 clang-tidy-14 clang++-14 shellcheck; do
  command -v "$tool" >/dev/null || {
    echo "lint: $tool is not installed: run make setup" >&2
    exit 1
  }
done

status=0
tools/format.sh --check || status=1

mapfile -t scripts < <(git ls-files -co --exclude-standard | sort -u | while read -r file; do
  [[ -f $file ]] && head -c 64 "$file" | head -n1 | grep -aqE '^#!.*\b(bash|sh)$' && echo "$file"
done)
shellcheck "${scripts[@]}" || status=1
echo "shellcheck: ${#scripts[@]} scripts"

# The generated headers must be there, and the commands must be those of the build.
tools/bazel.sh build --output_groups=compilation_prerequisites_INTERNAL_ //...
tools/compile_commands.py
PYTHONPATH=. PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 -m tools.lint.clang "$@" || status=1

[[ $status -eq 0 ]] && echo "lint: clean" || echo "lint: see the findings above" >&2
exit "$status"
