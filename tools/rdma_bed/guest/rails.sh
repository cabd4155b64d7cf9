#!/bin/sh
# Two rails for a guest: rxe0 on rail0 and rxe1 on rail1, soft-RoCE devices of the kernel with the
# addresses 10.77.RAIL.HOST. To be sourced; needs BED_HOST and BED_HOSTS.
#
# One kernel alone has dummy interfaces: a device reaches itself and nothing else, so that rank and
# rank talk rail 0 to rail 0 and rail 1 to rail 1. Two kernels have a wire for each rail.

# By their paths: the shell may have a lesser ip and ping of its own.
ip() { /sbin/ip "$@"; }

wait_for() {
  tries=0
  until "$@"; do
    tries=$((tries + 1))
    [ $tries -lt 200 ] || return 1
    sleep 0.05
  done
}

rail_is_ready() {
  ports=/sys/class/infiniband/rxe$1/ports/1
  grep -q ACTIVE "$ports/state" 2>/dev/null || return 1
  # The table of GIDs follows the addresses of the interface a moment later.
  cat "$ports"/gids/* 2>/dev/null | grep -qi "0000:ffff:0a4d:"
}

bring_up_rail() {
  if [ "$BED_HOSTS" = 1 ]; then
    ip link add "rail$1" type dummy && ip link set "rail$1" mtu 9000 || return 1
  else
    ip link set "vec$1" name "rail$1" || return 1
  fi
  ip addr add "10.77.$1.$BED_HOST/24" dev "rail$1" &&
    ip link set "rail$1" up &&
    rdma link add "rxe$1" type rxe netdev "rail$1" &&
    wait_for rail_is_ready "$1"
}

peer_answers() {
  /bin/busybox ping -c 1 -W 1 "10.77.$1.$((3 - BED_HOST))" >/dev/null 2>&1
}

bring_up_rails() {
  ip link set lo up
  for rail in 0 1; do
    bring_up_rail $rail || return 1
    device=/sys/class/infiniband/rxe$rail
    echo "@bed device rxe$rail ($(cat $device/node_desc)), port $(cat $device/ports/1/state)," \
      "interface rail$rail, address 10.77.$rail.$BED_HOST"
  done
  [ "$BED_HOSTS" = 1 ] && return
  for rail in 0 1; do
    wait_for peer_answers $rail || return 1
  done
}
