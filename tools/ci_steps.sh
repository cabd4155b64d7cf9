#!/usr/bin/env bash
# Steps of a CI run, to be sourced: each is timed and named, its closing line is added up, and a
# failed one does not keep the others from running.
#
#   step NAME LIMIT_S COMMAND...      counts the closing line of COMMAND, or itself as one test
#   need NAME LIMIT_S COMMAND...      the same, counts nothing, and ends the run when it fails
#   watch NAME LIMIT_S COMMAND...     timed and printed; counts nothing and fails nothing: for what
#                                     has not been seen green yet
#   share N END_S MAX_S               prints the seconds that each of N steps may take, MAX_S at
#                                     most, if they are to end END_S after the run's start
#   skip_step NAME WHY                names in the table what did not run
#   finish                            the table of steps, the sums, and the exit status

ci_passed=0
ci_failed=0
ci_skipped=0
ci_table=()
ci_broken=()
ci_log=$(mktemp)

readonly CI_CLOSING='^([0-9]+) passed, ([0-9]+) failed, ([0-9]+) skipped$'

# Runs a step into the log and to the screen, where only the whole run may have a closing line.
ci_run() {
  local name=$1 limit=$2 start status=0
  shift 2
  printf '\n=== %s: %s\n' "$name" "$*"
  start=$SECONDS
  timeout -k 30 "$limit" "$@" </dev/null 2>&1 | tee "$ci_log" |
    sed -u -E "s/$CI_CLOSING/($name counted \0)/" || status=$?
  local seconds=$((SECONDS - start))
  ci_table+=("$(printf '%5d.%d min  %-12s %s' $((seconds / 60)) $((seconds % 60 / 6)) "$name" \
    "$([[ $status -eq 0 ]] && echo ok || echo "FAILED (exit status $status)")")")
  printf '=== %s\n' "${ci_table[-1]}"
  [[ $status -eq 0 ]] || ci_broken+=("$name")
  return "$status"
}

ci_count() {
  local status=$1 line
  line=$(grep -E "$CI_CLOSING" "$ci_log" | tail -n 1)
  if [[ $line =~ $CI_CLOSING ]]; then
    ci_passed=$((ci_passed + BASH_REMATCH[1]))
    ci_skipped=$((ci_skipped + BASH_REMATCH[3]))
    # A command that failed has at least one failure, whatever it counted.
    local failed=${BASH_REMATCH[2]}
    [[ $status -eq 0 || $failed -gt 0 ]] || failed=1
    ci_failed=$((ci_failed + failed))
  elif [[ $status -eq 0 ]]; then
    ci_passed=$((ci_passed + 1))
  else
    ci_failed=$((ci_failed + 1))
  fi
}

step() {
  local status=0
  ci_run "$@" || status=$?
  ci_count "$status" || true
}

need() {
  ci_run "$@" && return
  ci_failed=$((ci_failed + 1))
  finish
}

watch() {
  local before=("${ci_broken[@]}")
  ci_run "$@" || true
  ci_broken=("${before[@]}")
}

share() {
  local each=$((($2 - SECONDS) / $1))
  ((each < $3)) || each=$3
  ((each > 0)) || each=0
  echo "$each"
}

skip_step() {
  ci_table+=("$(printf '      - min  %-12s not run: %s' "$1" "$2")")
  printf '\n=== %s\n' "${ci_table[-1]}"
}

finish() {
  printf '\n=== Steps\n'
  printf '%s\n' "${ci_table[@]}"
  printf '%5d.%d min  in all\n' $((SECONDS / 60)) $((SECONDS % 60 / 6))
  [[ ${#ci_broken[@]} -eq 0 ]] || printf 'failed: %s\n' "${ci_broken[*]}"
  rm -f "$ci_log"
  printf '%d passed, %d failed, %d skipped\n' "$ci_passed" "$ci_failed" "$ci_skipped"
  [[ ${#ci_broken[@]} -eq 0 && $ci_failed -eq 0 && $ci_passed -gt 0 ]] || exit 1
  exit 0
}
