#!/usr/bin/env bash
# Installs SGLang with its router, as pinned in sglang.lock, into a cached folder so that it runs on
# a machine without a GPU, makes tiny models, and prints the folder on the last line. Installed
# already: a second.
#
#   tools/engines/sglang_install.sh [--bench]    --bench: also the backend that the bench measures
set -euo pipefail
# shellcheck disable=SC2034  # for install.sh
engine=sglang download="1.4 GB" python_version=3.11
# shellcheck source=tools/engines/install.sh
source "$(dirname "${BASH_SOURCE[0]}")/install.sh"

after_wheels() {
  mkdir -p "$1/sgl_kernel"
  cp "$here/sglang_kernels.py" "$1/sgl_kernel/__init__.py"
}

install model "sglang.lock uv.lock cuda_stubs.py sglang_kernels.py" "$@"
