#!/usr/bin/env bash
# Holds the schema to proto/buf.yaml: buf's lint, and no change that breaks an older peer.
#
# The working tree is compared with the last commit and, from the first release on, with the latest
# tag v*; each of the last 20 commits that touched the schema since it has rules is compared with
# the one before it, so that nothing slips through between two pushes. A break that is meant says so
# in its commit's message, on a line `Breaks-proto: WHY`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

buf=$(tools/buf.sh)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# The schema of a commit, held to today's rules.
schema_of() {
  local into=$scratch/$1
  [[ -d $into ]] || {
    mkdir -p "$into"
    git archive "$1" proto | tar -x -C "$into"
    cp proto/buf.yaml "$into/proto/buf.yaml"
  }
  printf '%s\n' "$into/proto"
}

status=0
checks=0

unbroken() {
  local what=$1 now=$2 before=$3
  checks=$((checks + 1))
  (cd "$now" && "$buf" breaking --against "$before") && return
  echo "lint-proto: $what breaks peers of before" >&2
  status=1
}

checks=$((checks + 1))
(cd proto && "$buf" lint) || status=1

unbroken "the working tree" "$PWD/proto" "$(schema_of "$(git rev-parse HEAD)")"

tag=$(git describe --tags --abbrev=0 --match 'v*' 2>/dev/null || true)
if [[ -n $tag ]]; then
  unbroken "the working tree, against $tag," "$PWD/proto" "$(schema_of "$tag")"
fi
while read -r commit; do
  git cat-file -e "$commit~1:proto/buf.yaml" 2>/dev/null || continue
  ! git log -1 --format=%B "$commit" | grep -q '^Breaks-proto: .' || continue
  unbroken "$(git log -1 --format='%h (%s)' "$commit")" "$(schema_of "$commit")" \
    "$(schema_of "$(git rev-parse "$commit~1")")"
done < <(git log -n "${LINT_PROTO_COMMITS:-20}" --format=%H -- proto)

# A rule that refuses nothing would look the same: a field of another type must be refused.
cp -r proto "$scratch/broken"
sed -i 's/uint64 incarnation = 2;/string incarnation = 2;/' \
  "$scratch/broken/baton/v1/registry.proto"
if (cd "$scratch/broken" && "$buf" breaking --against "$OLDPWD/proto") >/dev/null; then
  echo "lint-proto: a planted break was not noticed" >&2
  status=1
fi

[[ $status -eq 0 ]] && echo "lint-proto: clean, $checks checks" || echo "lint-proto: see above" >&2
exit "$status"
