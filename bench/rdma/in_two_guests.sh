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

# One program for both sides; NAME is of bench/rdma.
#
#   ours NAME PORT
ours() {
  local side=--to
  [[ $BED_HOST == 1 ]] || side=--listen
  timeout 60 bazel-bin/bench/rdma/"$1" $side=$other:"$2"
}

for ((round = 1; round <= rounds; round++)); do
  perftest $((7200 + round))
  ours verbs_latency $((7100 + round))
  ours engine_latency $((7300 + round))
done
