#!/bin/sh
# The demo on two hosts of the RDMA bed, prefill on the first and decode on the second: the bed runs
# this on both. Arguments are the demo's.
set -u
here=$(dirname "$0")
other=10.77.0.2:7000

if [ "$BED_HOST" = 2 ]; then
  exec "$here/remote/demo_host" --listen=$other --folder="$TMPDIR"
fi

status=0
"$here/demo" --bootstrap_listen=10.77.0.1:0 --host=10.77.0.1 --decode_on=$other "$@" || status=$?
"$here/remote/demo_remote" --to=$other --quit
exit $status
