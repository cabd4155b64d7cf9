#!/usr/bin/env bash
# What the installers of engines share: to be sourced. An installer sets `engine` (sglang, vllm),
# `download` (what the first time fetches) and `python_version` (empty: any), defines
# `after_wheels`, which gets the folder of the packages, and ends with `install "$@"`.
#
# BATON_ENGINE_CACHE: where installations are kept (default ~/.cache/baton-engines). A folder of
# them has venv/bin/python, stubs/ (for LD_LIBRARY_PATH), its models, bench/ (for PYTHONPATH).
# shellcheck disable=SC2154  # the caller sets engine, download, python_version
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${BATON_ENGINE_CACHE:-$HOME/.cache/baton-engines}
python=/usr/bin/python3
# An engine is several processes: without compiled files each would compile torch and itself anew.
unset PYTHONDONTWRITEBYTECODE PYTHONPATH

die() {
  printf '%s_install: %s\n' "$engine" "$*" >&2
  exit 1
}

progress() {
  printf '%s_install: %s\n' "$engine" "$*" >&2
}

key_of() {
  cat "$@" <("$python" --version) | sha256sum | cut -c 1-12
}

check_machine() {
  local program found
  [[ $(uname -m) == x86_64 ]] || die "the pinned wheels are for x86_64, this is $(uname -m)"
  found=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  [[ -z $python_version || $found == "$python_version" ]] ||
    die "the pinned wheels are for Python $python_version, $python is $("$python" --version)"
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
  progress "installing into $folder (once; some $download to download)"
  rm -rf "$folder"
  mkdir -p "$folder"
  "$python" -m venv "$folder/uv"
  "$folder/uv/bin/pip" install --quiet --require-hashes -r "$here/uv.lock" ||
    die "cannot install uv: is a Python package index in reach?"
  "$python" -m venv --without-pip "$folder/venv"
  site=$("$folder/venv/bin/python" -c 'import site; print(site.getsitepackages()[0])')
  progress "wheels ($(wc -l <"$here/$engine.lock") of them)"
  install_lock "$engine.lock"
  progress "stand-ins for what only a GPU has"
  "$python" "$here/cuda_stubs.py" "$site/torch/lib" "$folder/stubs" >&2
  after_wheels "$site"
  progress "compiling Python files (a minute or two)"
  "$folder/venv/bin/python" -m compileall -q -j 2 "$site" >/dev/null || true
  touch "$folder/installed"
}

# ENGINE_NAME.py writes them.
make_models() {
  local models=$1 name=$2
  progress "$name"
  rm -rf "$models" "$models.new"
  LD_LIBRARY_PATH=$folder/stubs HF_HUB_OFFLINE=1 TRANSFORMERS_VERBOSITY=error \
    "$folder/venv/bin/python" "$here/${engine}_$name.py" "$models.new" >&2 ||
    die "cannot make the $name"
  mv "$models.new" "$models"
}

install_bench() {
  progress "what the bench needs"
  rm -rf "$folder/bench"
  install_lock "${engine}_bench.lock" --target "$folder/bench"
  touch "$folder/bench/installed"
}

# Installations of other pins that nobody has used for two weeks.
remove_old() {
  local marker
  while read -r marker; do
    progress "removing $(dirname "$marker"), unused for two weeks"
    rm -rf "$(dirname "$marker")"
  done < <(find "$cache" -mindepth 2 -maxdepth 2 -path "*/$engine-*/installed" -mtime +14)
}

# NAME of the models, the files that the installation is made of, then the caller's own arguments.
install() {
  local name=$1 files=$2 models
  shift 2
  check_machine
  mkdir -p "$cache"
  # shellcheck disable=SC2086  # a list
  folder=$cache/$engine-$(cd "$here" && key_of $files)
  models=$folder/$name-$(key_of "$here/${engine}_$name.py")
  exec 9>"$folder.lock"
  flock 9
  [[ -e $folder/installed ]] || install_engine
  [[ -d $models ]] || make_models "$models" "$name"
  ln -sfn "$(basename "$models")" "$folder/$name"
  [[ ${1:-} != --bench || -e $folder/bench/installed ]] || install_bench
  touch "$folder/installed"
  remove_old
  progress "ready"
  printf '%s\n' "$folder"
}
