#!/usr/bin/env bash
# Lays out what tests Baton on a machine with GPUs in one folder: the Python package with the
# programs and their libraries, the tests, the kernel's source. Such a machine needs an NVIDIA
# driver, nvcc and a Python with numpy and PyTorch beside it, and nothing of this repository.
#
#   tools/dist_gpu/build.sh [FOLDER]     (default: dist/gpu)
#
# There: python3 FOLDER/test.py
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

out=${1:-dist/gpu}
mib_max=60
# Tests that are programs.
tests=(transfer_agent/transport/cuda/cuda_conformance_test client/engine/cuda_pool_gpu_test)

say() { printf 'dist-gpu: %s\n' "$*"; }

# The libraries that $1 needs and that are not everywhere.
libraries_of() {
  ldd "$1" | sed -nE 's/.* => (\/[^ ]+) .*/\1/p' |
    grep -vE '/(libc|libm|libdl|librt|libpthread|libgcc_s|libstdc\+\+|ld-linux[^/]*)\.so'
}

main() {
  local wheel target labels=()
  wheel=$(mktemp -d)
  # shellcheck disable=SC2064  # the folder's name now
  trap "rm -rf '$wheel'" EXIT
  tools/wheel/build.sh "$wheel"
  say "building the tests"
  for target in "${tests[@]}"; do labels+=("//${target%/*}:${target##*/}"); done
  tools/bazel.sh build "${labels[@]}"
  rm -rf "$out"
  mkdir -p "$out"/{python/tests,python/client/examples,bin,lib,kernel}
  /usr/bin/python3 -m zipfile -e "$wheel"/baton_kv-*.whl "$out/python"
  chmod +x "$out"/python/baton/bin/*
  cp -r tests/gpu tests/programs "$out/python/tests"
  cp -r client/examples/torch_pd "$out/python/client/examples"
  find "$out/python" \( -name BUILD.bazel -o -name __pycache__ \) -prune -exec rm -rf {} +
  cp transfer_agent/transport/cuda/{pull.cu,pull_item.h,pull.ptx,make_ptx.sh} "$out/kernel"
  cp tools/dist_gpu/test.py "$out"
  for target in "${tests[@]}"; do
    install -m 755 "bazel-bin/$target" "$out/bin"
    # shellcheck disable=SC2046  # one word each
    cp -n $(libraries_of "bazel-bin/$target") "$out/lib"
  done
  strip --strip-debug "$out"/bin/* "$out"/lib/*
  git describe --always --dirty >"$out/COMMIT"
  local mib
  mib=$(($(du -sk "$out" | cut -f1) / 1024))
  say "$out, $mib MiB, of $(cat "$out/COMMIT")"
  ((mib < mib_max)) || { say "more than $mib_max MiB" >&2 && return 1; }
}

main
