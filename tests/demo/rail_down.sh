#!/bin/sh
# The demo over verbs on a host of the RDMA bed while its rails go down and come back in turn, one
# at a time: no room may fail and every byte must be right. Arguments are the demo's.
set -u
here=$(dirname "$0")

"$here/demo" "$@" &
demo=$!
rail=0
flaps=0
sleep 3
while kill -0 $demo 2>/dev/null; do
  /sbin/ip link set "rail$rail" down
  sleep 1
  /sbin/ip link set "rail$rail" up
  sleep 2
  rail=$((1 - rail))
  flaps=$((flaps + 1))
done
echo "rails went down $flaps times"
[ $flaps -ge 2 ] || exit 1
wait $demo
