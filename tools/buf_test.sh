#!/usr/bin/env bash
# What buf.sh says where it cannot have its program: what is missing, and what to do.
set -euo pipefail

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
source tools/testing/expect.sh

# A machine of kind $1 whose npm runs $2; without $2 it has none.
on() {
  local bin=$scratch/bin
  rm -rf "$bin" && mkdir "$bin"
  for tool in bash cat mkdir mktemp mv rm sha256sum tar gzip; do
    ln -s "$(command -v "$tool")" "$bin/$tool"
  done
  # shellcheck disable=SC2016  # $1 is the stub's own
  printf '#!/bin/sh\n[ "$1" = -s ] && echo "%s" || echo "%s"\n' "${1% *}" "${1#* }" >"$bin/uname"
  chmod +x "$bin/uname"
  [[ $# -lt 2 ]] || { printf '#!/bin/sh\n%s\n' "$2" >"$bin/npm" && chmod +x "$bin/npm"; }
  status=0
  output=$(PATH=$bin BATON_TOOLS=$scratch/tools "$bin/bash" tools/buf.sh 2>&1) || status=$?
}

says() { [[ $status -ne 0 && $output == *"$1"* ]]; }

on "Linux riscv64" true
expect "names a machine that it has no program for" \
  says "Linux riscv64: run make lint-proto on Linux"
on "Linux x86_64"
expect "names npm when there is none" says "install Debian's package npm"
on "Linux aarch64" "exit 1"
expect "names the package that did not come" says "could not fetch @bufbuild/buf-linux-aarch64@"
on "Linux aarch64" "echo something else >x.tgz"
expect "takes no program whose sum differs" says "its check sum differs"
expect "keeps nothing of it" [ ! -e "$scratch/tools" ]
no_failures
