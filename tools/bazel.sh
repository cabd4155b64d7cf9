#!/usr/bin/env bash
# Runs Bazel with the options that depend on the machine, not on the project: how to show progress,
# and a cache outside the tree when BATON_DISK_CACHE names a folder.
#
#   tools/bazel.sh COMMAND [ARGS]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if ! command -v bazel >/dev/null; then
  echo "bazel is not installed: run make setup" >&2
  exit 1
fi

command=${1:?usage: tools/bazel.sh COMMAND [ARGS]}
shift
options=()

# A terminal gets Bazel's own display; a log gets a line now and then.
[[ -t 2 ]] || options+=(--color=no --curses=no --show_progress_rate_limit=20)

# Bazel does not see the system's headers and libraries, so the cache's folder is named after them.
system_key() {
  local packages=('lib*-dev' 'g++*' 'gcc*' 'clang*' 'protobuf-compiler*')
  # A pattern without a match (no clang, say) is no error here.
  { dpkg-query -W -f '${Package} ${Version}\n' "${packages[@]}" 2>/dev/null || true; } |
    sha256sum | cut -c1-16
}

case $command in
  build | test | run)
    if [[ -n ${BATON_DISK_CACHE:-} ]]; then
      options+=("--disk_cache=$BATON_DISK_CACHE/$(system_key)")
    fi
    ;;
esac

exec bazel "$command" "${options[@]}" "$@" </dev/null
