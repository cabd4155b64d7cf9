#!/usr/bin/env bash
# Fetches Debian's own kernel, unpatched and as Debian built it, and unpacks what the bed needs of
# it outside of the tree; installs nothing and needs no root. Prints the folder as the last line:
#
#   FOLDER/boot/vmlinuz-VERSION, FOLDER/lib/modules/VERSION/...
#
# It lies in ${BATON_BED_CACHE:-~/.cache/baton-rdma-bed}/debian-PACKAGE_VERSION.
set -euo pipefail

cache=${BATON_BED_CACHE:-${HOME:?}/.cache/baton-rdma-bed}

# Below lib/modules/VERSION/kernel: soft-RoCE, what carries it, and what they need.
readonly kModules=('drivers/infiniband/core/*' 'drivers/infiniband/sw/*' 'drivers/net/dummy.ko'
  'net/ipv4/udp_tunnel.ko' 'net/ipv6/ip6_udp_tunnel.ko' 'crypto/*' 'lib/*')

say() { printf 'rdma bed: %s\n' "$*" >&2; }

die() {
  say "$@"
  exit 1
}

# linux-image-amd64 is empty and depends on the package of the current version.
package() {
  apt-cache depends --no-recommends --no-suggests linux-image-amd64 2>/dev/null |
    sed -nE 's/^ *Depends: (linux-image-[0-9][^ ]*)$/\1/p' | head -n 1
}

unpack() {
  local name=$1 to=$2
  (
    cd "$to"
    apt-get download -q "$name" >apt.log 2>&1 || {
      cat apt.log >&2
      die "apt-get download $name failed: is Debian's package archive within reach?"
    }
    dpkg-deb --fsys-tarfile ./*.deb |
      tar -x --wildcards './boot/vmlinuz-*' "${kModules[@]/#/./lib/modules/*/kernel/}"
    rm -f ./*.deb apt.log
  )
}

main() {
  local name version result
  name=$(package)
  if [[ -z $name ]]; then
    # Without apt's lists, what was fetched before will do.
    result=$(find "$cache" -maxdepth 1 -name 'debian-[0-9]*' 2>/dev/null | sort -V | tail -n 1)
    [[ -n $result ]] || die "apt knows no linux-image-amd64: run apt-get update"
    printf '%s\n' "$result"
    return
  fi
  version=$(apt-cache policy "$name" | sed -n 's/^ *Candidate: //p')
  result=$cache/debian-$version
  mkdir -p "$cache"
  exec 9>"$cache/debian.lock"
  flock 9
  if [[ ! -d $result ]]; then
    say "fetching $name $version"
    rm -rf "$result.new"
    mkdir -p "$result.new"
    unpack "$name" "$result.new"
    mv -T "$result.new" "$result"
  fi
  printf '%s\n' "$result"
}

main "$@"
