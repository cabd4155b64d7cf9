#!/usr/bin/env bash
# Lays out an image's root file system: the files of Debian's packages without what nobody reads at
# run time, a user, and no shell. The Containerfiles run it in a Debian image, make test-deploy on a
# Debian machine; both get the same.
#
#   root.sh PACKAGES.txt ROOT [DEBS]     DEBS: a folder that keeps what was fetched
set -euo pipefail

list=$(realpath "${1:?usage: root.sh PACKAGES.txt ROOT [DEBS]}")
root=${2:?usage: root.sh PACKAGES.txt ROOT [DEBS]}
debs=${3:-$(mktemp -d)}

mapfile -t packages < <(sed '/^#/d; /^$/d' "$list")

fetch() {
  cd "$debs"
  apt-get download -q "$@" </dev/null && return
  apt-get update -q </dev/null
  apt-get download -q "$@" </dev/null
}

missing=()
mkdir -p "$debs"
for package in "${packages[@]}"; do
  compgen -G "$debs/${package}_*.deb" >/dev/null || missing+=("$package")
done
[[ ${#missing[@]} -eq 0 ]] || (fetch "${missing[@]}") >&2

# As on Debian, where libraries are found by both names.
mkdir -p "$root"/{usr/bin,usr/lib,usr/lib64,etc,tmp,run,proc,dev,sys}
chmod 1777 "$root/tmp"
for name in bin lib lib64; do ln -sfn "usr/$name" "$root/$name"; done

for package in "${packages[@]}"; do
  for deb in "$debs/${package}"_*.deb; do
    dpkg-deb --fsys-tarfile "$deb" | tar -x --keep-directory-symlink -C "$root"
  done
done

(cd "$root" && rm -rf usr/share usr/lib/*/gconv usr/lib/*/engines-3 etc/ld.so.conf.d sbin usr/sbin)
cat >"$root/etc/passwd" <<'END'
root:x:0:0:root:/:/none
baton:x:65532:65532:baton:/:/none
END
printf 'root:x:0:\nbaton:x:65532:\n' >"$root/etc/group"
printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"
