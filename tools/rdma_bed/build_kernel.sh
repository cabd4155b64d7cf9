#!/usr/bin/env bash
# Builds the bed's User-Mode Linux kernel from Debian's kernel source, unless it is there, and
# prints its path as the last line of its output. Needs no root; needs the packages of
# `tools/setup.sh rdma`.
#
# The result lies outside of the tree, in ${BATON_BED_CACHE:-~/.cache/baton-rdma-bed}/KEY, where KEY
# says which source, patches and configuration it came from. BATON_BED_JOBS is how many compilers
# run at a time (default 2), BATON_BED_NICE how much they give way to other work (default 10).
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${BATON_BED_CACHE:-${HOME:?}/.cache/baton-rdma-bed}
readonly kPackage=linux-source-6.1
# Count this up when the build itself changes, so that nobody runs a kernel of the old kind.
readonly kRecipe=1
readonly kTarball=/usr/src/$kPackage.tar.xz

say() { printf 'rdma bed: %s\n' "$*" >&2; }

die() {
  say "$@"
  exit 1
}

# Names the built kernel: the source's version, and a digest of all that changes what is built.
key() {
  local version=$1 digest
  digest=$(
    {
      printf '%s %s\n' "$version" "$kRecipe"
      (cd "$here" && sha256sum kernel/*.patch kernel/uml.config)
    } | sha256sum | cut -c1-12
  )
  printf '%s-%s\n' "$version" "$digest"
}

unpack_and_patch() {
  local to=$1 patch
  mkdir -p "$to"
  tar -xf "$kTarball" -C "$to" --strip-components=1
  for patch in "$here"/kernel/*.patch; do
    if ! patch -d "$to" -p1 --batch --forward <"$patch" >"$to/patch.out" 2>&1; then
      cat "$to/patch.out" >&2
      die "$(basename "$patch") does not apply to $kPackage $version: the lines above name the" \
        "file and the hunk. Bring that patch up to date in tools/rdma_bed/kernel/."
    fi
  done
}

# Every line that the configuration asks for must have survived Kconfig, or the bed would lack it
# in silence.
check_config() {
  local asked=$1 got=$2 line missing=()
  while read -r line; do
    [[ $line == CONFIG_* && $line != *=n ]] || continue
    grep -qxF -- "$line" "$got" || missing+=("$line")
  done <"$asked"
  [[ ${#missing[@]} -eq 0 ]] || die "the kernel's configuration dropped: ${missing[*]}"
}

build() {
  local work=$1 log=$2
  local make=(make -C "$work/source" ARCH=um O="$work/out")
  mkdir -p "$work/out"
  unpack_and_patch "$work/source"
  "${make[@]}" KCONFIG_ALLCONFIG="$here/kernel/uml.config" allnoconfig >>"$log" 2>&1 || {
    tail -n 30 "$log" >&2
    die "the configuration failed: see above"
  }
  check_config "$here/kernel/uml.config" "$work/out/.config"
  # The linked assembly routines say nothing of the stack, which would make it executable.
  "${make[@]}" -j"${BATON_BED_JOBS:-2}" KAFLAGS=-Wa,--noexecstack linux >>"$log" 2>&1 || {
    tail -n 30 "$log" >&2
    die "the kernel did not build: see above"
  }
}

main() {
  local version name result
  version=$(dpkg-query -W -f '${Version}' "$kPackage" 2>/dev/null) || true
  [[ -n $version && -r $kTarball ]] ||
    die "Debian's package $kPackage is missing: tools/setup.sh rdma"
  name=$(key "$version")
  result=$cache/$name
  mkdir -p "$cache"
  exec 9>"$cache/$name.lock"
  flock -n 9 || say "another build of $name is under way, waiting for it"
  flock 9
  if [[ ! -x $result/linux ]]; then
    say "building $name (about 8 minutes, once)"
    work=$cache/$name.build
    # Some 1.5 GB, which a failed build must not leave behind either.
    trap 'rm -rf "$work"' EXIT
    trap 'exit 143' TERM INT HUP
    rm -rf "$work"
    mkdir -p "$work/result"
    renice -n "${BATON_BED_NICE:-10}" -p $BASHPID >/dev/null 2>&1 || true
    build "$work" "$work/build.log" 9>&-
    strip -o "$work/result/linux" "$work/out/linux"
    cp "$work/out/.config" "$work/result/config"
    mv "$work/build.log" "$work/result/"
    mv -T "$work/result" "$result"
    say "built in $SECONDS s"
  fi
  printf '%s\n' "$result/linux"
}

main "$@"
