#!/usr/bin/env bash
# setup.sh against stand-ins for dpkg-query, apt-get, sudo and id: what it runs, when, and what it
# says when it cannot.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
source tools/testing/expect.sh

fake() {
  printf '#!/bin/bash\n%s\n' "$2" >"$work/bin/$1"
  chmod +x "$work/bin/$1"
}

# A Debian 12 on which only $1 is missing, used by the user with number $2.
machine() {
  rm -rf "${work:?}/bin" "$work/calls" "$work/installed"
  mkdir -p "$work/bin"
  : >"$work/calls"
  printf 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian 12"\n' >"$work/os-release"
  fake dpkg-query "[[ \${@: -1} == '$1' && ! -e $work/installed ]] || echo installed"
  fake apt-get "echo \"apt-get \$* frontend=\${DEBIAN_FRONTEND:-}\" >>$work/calls
    [[ \$1 != install ]] || touch $work/installed"
  fake id "echo $2"
}

setup() {
  status=0
  output=$(PATH="$work/bin:/usr/bin:/bin" BATON_OS_RELEASE="$work/os-release" \
    tools/setup.sh "$@" 2>&1 </dev/null) || status=$?
}

more() { printf 'calls:\n' && cat "$work/calls"; }

says() { grep -qF -- "$1" <<<"$output"; }
called() { grep -qE -- "$1" "$work/calls"; }
never_called() { [[ ! -s $work/calls ]]; }

machine none 1000
setup
expect "succeeds when everything is there" [ "$status" -eq 0 ]
expect "calls no package manager then" never_called

machine libgmock-dev 0
setup build
expect "installs as root" [ "$status" -eq 0 ]
expect "updates the lists first" [ "$(head -n1 "$work/calls" | cut -d' ' -f2)" = update ]
expect "installs what is missing and nothing else" \
  called '^apt-get install .*Retries=3 libgmock-dev frontend=noninteractive$'
setup build
expect "does nothing the second time" says "everything is installed"

machine clang-tidy 0
setup build
expect "leaves the other groups alone" never_called

machine libgmock-dev 1000
fake sudo 'exit 1'
setup build
expect "fails when sudo would ask and nobody is there" [ "$status" -eq 1 ]
expect "says what is missing" says "libgmock-dev"
expect "says what to do" says "Run sudo tools/setup.sh first"

machine libgmock-dev 1000
# shellcheck disable=SC2016  # for the stand-in to expand
fake sudo '[[ $1 == -n ]] && exit 0; exec "$@"'
setup build
expect "uses sudo when it can" called '^apt-get install .*frontend=noninteractive$'

machine libgmock-dev 0
fake apt-get 'exit 100'
setup build
expect "fails when apt-get does" [ "$status" -eq 1 ]
expect "names the step" says "apt-get update failed"

machine none 0
printf 'ID=ubuntu\nVERSION_ID="24.04"\nPRETTY_NAME="Ubuntu 24.04"\n' >"$work/os-release"
setup
expect "refuses another system" [ "$status" -eq 1 ]
expect "names both" says "Baton builds on Debian 12, this is Ubuntu 24.04"

machine none 0
setup docs
expect "refuses an unknown group" [ "$status" -eq 1 ]
expect "names it" says "no package group 'docs'"

no_failures
