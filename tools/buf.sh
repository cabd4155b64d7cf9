#!/usr/bin/env bash
# Prints the path of buf, fetched from the npm registry by npm once and checked against the sum that
# stands here. Its package holds the program alone.
set -euo pipefail

readonly VERSION=1.75.0
case "$(uname -s) $(uname -m)" in
  "Linux x86_64")
    readonly PACKAGE=buf-linux-x64
    readonly SUM=98b19d4b2b46130e083157490c54dfdcb8ea771e53204d3c6a06a2b12edd0503
    ;;
  "Linux aarch64")
    readonly PACKAGE=buf-linux-aarch64
    readonly SUM=ea5b4981ad7199a482609c3f1f7230767e095c4a5a7e96ae74a21225a1fc75dc
    ;;
  *)
    echo "buf: no program is known for $(uname -s) $(uname -m): run make lint-proto on Linux on" \
      "x86_64 or aarch64, or leave the schema's lint to CI" >&2
    exit 1
    ;;
esac

folder=${BATON_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/baton-tools}/buf-$VERSION-$(uname -m)
if [[ ! -x $folder/buf ]]; then
  command -v npm >/dev/null || {
    echo "buf: npm is not on PATH, and buf is not in $folder: install Debian's package npm, which" \
      "fetches it once, or leave the schema's lint to CI" >&2
    exit 1
  }
  scratch=$(mktemp -d)
  trap 'rm -rf "$scratch"' EXIT
  (cd "$scratch" && npm pack --silent "@bufbuild/$PACKAGE@$VERSION" >/dev/null) || {
    echo "buf: npm could not fetch @bufbuild/$PACKAGE@$VERSION: is its registry reachable?" >&2
    exit 1
  }
  archive=$(echo "$scratch"/*.tgz)
  echo "$SUM  $archive" | sha256sum --check --status || {
    echo "buf: what npm fetched is not what tools/buf.sh expects: its check sum differs" >&2
    exit 1
  }
  tar -x -z -f "$archive" -C "$scratch" package/bin/buf
  mkdir -p "$folder"
  mv "$scratch/package/bin/buf" "$folder/buf"
fi
printf '%s\n' "$folder/buf"
