#!/usr/bin/env bash
# The steps of CI against commands that pass, fail, hang and count.
set -euo pipefail

source tools/testing/expect.sh

# Runs the lines of $1 as a CI script.
ci() {
  status=0
  output=$(printf 'set -euo pipefail\nsource tools/ci_steps.sh\n%s\nfinish\n' "$1" |
    bash /dev/stdin 2>&1) || status=$?
}

closes() { [[ $(tail -n 1 <<<"$output") == "$1" ]]; }
says() { grep -qE -- "$1" <<<"$output"; }
closing_lines() {
  [[ $(grep -cE '^([a-z]+: )?[0-9]+ passed, [0-9]+ failed' <<<"$output") == "$1" ]]
}

ci 'step one 60 echo "3 passed, 0 failed, 1 skipped"
step two 60 bash -c "echo 1 passed, 0 failed, 0 skipped; echo 4 passed, 0 failed, 0 skipped"
step three 60 true'
expect "passes" [ "$status" -eq 0 ]
expect "adds up the closing lines, and a step without one as one test" \
  closes "8 passed, 0 failed, 1 skipped"
expect "has one closing line" closing_lines 1
expect "prints the minutes of each step" says '0\.0 min +two +ok'

ci 'step one 60 bash -c "echo 3 passed, 2 failed, 0 skipped; exit 1"
step two 60 echo "1 passed, 0 failed, 0 skipped"'
expect "fails when a step does" [ "$status" -eq 1 ]
expect "goes on after it" closes "4 passed, 2 failed, 0 skipped"
expect "names it" says '^failed: one$'

ci 'step one 60 bash -c "echo 3 passed, 0 failed, 0 skipped; exit 7"'
expect "a step that failed without counting a failure has one" \
  closes "3 passed, 1 failed, 0 skipped"
expect "tells its exit status" says 'FAILED \(exit status 7\)'

ci 'step one 60 true
need two 60 false
step three 60 true'
expect "ends at a step that is needed" closes "1 passed, 1 failed, 0 skipped"
expect "with the exit status to match" [ "$status" -eq 1 ]

ci 'step one 1 sleep 60'
expect "stops a step that hangs" closes "0 passed, 1 failed, 0 skipped"

ci 'step one 60 true
watch two 60 bash -c "echo 0 passed, 3 failed, 0 skipped; exit 1"'
expect "a watched step fails nothing and counts nothing" closes "1 passed, 0 failed, 0 skipped"
expect "but is told" says '0\.0 min +two +FAILED'

# shellcheck disable=SC2016  # for the script that ci runs
ci 'step one 60 true
SECONDS=4000
echo "shares: $(share 2 4200 840) $(share 1 4200 60) $(share 1 3900 840)"
skip_step two "too late"'
expect "shares the time that is left, none once it is gone" says '^shares: (100|99) 60 0$'
expect "names a step that was left out" says 'two +not run: too late$'

ci ''
expect "a run without a test has failed" [ "$status" -eq 1 ]

no_failures
