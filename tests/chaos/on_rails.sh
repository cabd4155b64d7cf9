#!/bin/sh
# Chaos on a host of the RDMA bed, whose devices must be left as they were found: no queue pair and
# no region of a process that was killed, drained or ended. Arguments are those of chaos.
set -u
here=$(dirname "$0")

before=$(rdma resource show)
status=0
"$here/chaos" "$@" || status=$?
after=$(rdma resource show)
if [ "$before" != "$after" ]; then
  printf 'the devices held\n%s\nand hold now\n%s\n' "$before" "$after"
  exit 1
fi
exit $status
