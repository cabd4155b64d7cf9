#!/bin/bash
# The guests' part of the latency figures: both hosts of the bed run this, in step by what the
# programs wait for. figures.py reads what the first one prints.
#
#   in_two_guests.sh ROUNDS
set -u
rounds=$1
readonly other=10.77.0.2

# ib_write_lat listens on the second host; the first one tries until it does.
perftest() {
  if [[ $BED_HOST == 2 ]]; then
    timeout 60 ib_write_lat -d rxe0 -s 64 -n 1000 -F -p "$1" >/dev/null 2>&1
    return
  fi
  for _ in {1..100}; do
    timeout 60 ib_write_lat -d rxe0 -s 64 -n 1000 -F -p "$1" $other 2>/dev/null |
      awk '/^ *64 +1000/ {print "perftest", $5, $3, $8; found = 1} END {exit !found}' && return
    sleep 0.1
  done
}

baton() {
  if [[ $BED_HOST == 2 ]]; then
    timeout 60 bazel-bin/bench/rdma/verbs_latency --listen=$other:"$1"
  else
    timeout 60 bazel-bin/bench/rdma/verbs_latency --to=$other:"$1"
  fi
}

for ((round = 1; round <= rounds; round++)); do
  perftest $((7200 + round))
  baton $((7100 + round))
done
