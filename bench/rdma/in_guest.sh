#!/bin/bash
# The guest's part of `make bench-rdma`: one boot, every case once a round, so that what is compared
# ran on the same bed within seconds. figures.py reads what this prints.
#
#   in_guest.sh ROUNDS CASES_FILE
#
# A case is a line `NAME|SIDE|ARGUMENTS`; SIDE is perftest, ucx, raw or baton.
set -u
rounds=$1
cases=$2
readonly address=10.77.0.1

# Until somebody listens on that port, for at most four seconds.
await_listener() {
  local port tries=0
  port=$(printf ':%04X' "$1")
  until cat /proc/net/tcp /proc/net/tcp6 | grep -q "$port .* 0A "; do
    tries=$((tries + 1))
    [[ $tries -lt 200 ]] || break
    sleep 0.02
  done
}

# perftest's own check of the CPU's clock fails now and then and prints 0.00 or inf: such a run is
# repeated, and never counted.
perftest_once() {
  ib_write_bw -d rxe0 -F "$@" >/dev/null 2>&1 &
  local server=$!
  await_listener 18515
  timeout 60 ib_write_bw -d rxe0 -F "$@" $address 2>/dev/null | awk '/^ *[0-9]+ +[0-9]/ {print $4}'
  wait $server
}

perftest() {
  local try got
  for try in 1 2 3 4 5; do
    got=$(perftest_once "$@")
    case $got in
      '' | *inf* | *nan* | 0.00) echo "perftest printed '$got', try $try" ;;
      *)
        echo "perftest $got"
        return
        ;;
    esac
  done
}

# UCX's own transport layer; above it (ucp) its wire-up over datagrams stalls on soft-RoCE.
ucx() {
  local ucx=(ucx_perftest -t put_bw -D zcopy -x rc_verbs -d rxe0:1 "$@")
  UCX_IB_GID_INDEX=1 timeout 60 "${ucx[@]}" >/dev/null 2>&1 &
  local server=$!
  await_listener 13337
  UCX_IB_GID_INDEX=1 timeout 60 "${ucx[@]}" $address 2>/dev/null |
    awk '/^Final:/ {print "ucx", $6}'
  wait $server
}

for ((round = 1; round <= rounds; round++)); do
  while IFS='|' read -r name side arguments; do
    echo "@case $name"
    read -ra words <<<"$arguments"
    case $side in
      perftest | ucx) "$side" "${words[@]}" ;;
      raw) timeout 60 bazel-bin/bench/rdma/raw_write "${words[@]}" 2>&1 ;;
      baton) timeout 60 bazel-bin/bench/rdma/verbs_write "${words[@]}" 2>&1 ;;
    esac
  done <"$cases"
done
