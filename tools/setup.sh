#!/usr/bin/env bash
# Installs the Debian packages that Baton needs, if any is missing: the only step that needs root.
#
#   tools/setup.sh [build] [lint] [rdma] [engines]     (build and lint when none is named)
#
# Needs no terminal. Does nothing, and needs no root, when everything is there.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
os_release=${BATON_OS_RELEASE:-/etc/os-release}

die() {
  printf 'setup: %s\n' "$*" >&2
  exit 1
}

check_system() {
  local id version name
  id=$(sed -n 's/^ID=//p' "$os_release" 2>/dev/null | tr -d '"')
  version=$(sed -n 's/^VERSION_ID=//p' "$os_release" 2>/dev/null | tr -d '"')
  name=$(sed -n 's/^PRETTY_NAME=//p' "$os_release" 2>/dev/null | tr -d '"')
  [[ $id == debian && $version == 12 ]] && return
  die "Baton builds on Debian 12, this is ${name:-an unknown system}." \
    "Use a Debian 12 machine or container."
}

# The packages of the named groups that dpkg does not report as installed.
missing_packages() {
  local group package
  for group in "$@"; do
    [[ -f $here/packages/$group.txt ]] ||
      die "there is no package group '$group'; use build, lint or rdma"
  done
  for group in "$@"; do
    while read -r package; do
      [[ $package == '' || $package == \#* ]] && continue
      [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] ||
        printf '%s\n' "$package"
    done <"$here/packages/$group.txt"
  done
}

# Prints the command that makes the rest of the line run as root: nothing, or sudo.
root_prefix() {
  [[ $(id -u) == 0 ]] && return
  command -v sudo >/dev/null ||
    die "these packages are missing and neither root nor sudo is at hand: $*." \
      "Run tools/setup.sh as root."
  if [[ ! -t 0 ]] && ! sudo -n true 2>/dev/null; then
    die "these packages are missing and sudo would ask for a password without a terminal: $*." \
      "Run sudo tools/setup.sh first."
  fi
  printf 'sudo\n'
}

install_packages() {
  local prefix options
  prefix=$(root_prefix "$@")
  options=(-y --no-install-recommends -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3)
  printf 'setup: installing %d packages: %s\n' "$#" "$*"
  $prefix apt-get update -q -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3 </dev/null ||
    die "apt-get update failed: is Debian's package archive within reach?"
  $prefix env DEBIAN_FRONTEND=noninteractive apt-get install -q "${options[@]}" "$@" </dev/null ||
    die "apt-get install failed: see above"
}

main() {
  local groups=("$@") missing
  [[ ${#groups[@]} -gt 0 ]] || groups=(build lint)
  check_system
  command -v dpkg-query >/dev/null || die "dpkg-query is not on the PATH"
  # In two steps, so that an unknown group ends the script.
  missing=$(missing_packages "${groups[@]}")
  mapfile -t missing_list < <(printf '%s' "$missing" | tr '\n' ' ' | xargs -rn1)
  if [[ ${#missing_list[@]} -eq 0 ]]; then
    printf 'setup: everything is installed (%s)\n' "${groups[*]}"
    return
  fi
  install_packages "${missing_list[@]}"
  missing=$(missing_packages "${groups[@]}")
  [[ -z $missing ]] || die "still missing after the installation: ${missing//$'\n'/ }"
  printf 'setup: done\n'
}

main "$@"
