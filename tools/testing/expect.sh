#!/usr/bin/env bash
# For tests of shell scripts, which source it. `expect WHAT COMMAND...` counts a command that fails,
# and prints what it is about: $status and $output of what is tested, and what `more` has to say
# where the test defines it.
failures=0

expect() {
  local what=$1
  shift
  if "$@"; then
    echo "ok: $what"
    return
  fi
  # shellcheck disable=SC2154  # the test sets both
  printf 'FAILED: %s\nstatus %s, output:\n%s\n' "$what" "$status" "$output"
  ! declare -F more >/dev/null || more
  failures=$((failures + 1))
}

# The last line of a test.
no_failures() {
  echo "$failures failures"
  [[ $failures -eq 0 ]]
}
