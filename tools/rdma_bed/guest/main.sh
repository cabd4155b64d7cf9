#!/bin/sh
# Runs in the guest once its file system stands: brings up the rails, says what there is, runs the
# command, and says how it ended. The host goes by these lines, which start with "@bed", and by
# nothing else: a guest kernel may fail as it halts, after all its work is done.
#
#   sh main.sh TOOLS COMMAND_FILE
tools=$1
command_file=$2
PATH=/bin:/sbin:/usr/bin:/usr/sbin:/usr/local/bin
HOME=/run/home
TMPDIR=/run/tmp
GTEST_COLOR=no
export PATH HOME TMPDIR GTEST_COLOR
mkdir -p $HOME $TMPDIR
# The kernel makes no such links.
[ -e /dev/fd ] || ln -s /proc/self/fd /dev/fd
# Both shells that come here know these limits.
# shellcheck disable=SC3045
ulimit -l unlimited
# shellcheck disable=SC3045
ulimit -c 0
# shellcheck disable=SC3045
ulimit -n 8192

up_s=$(cut -d' ' -f1 /proc/uptime)
echo "@bed kernel $(uname -r) booted in $up_s s, host $BED_HOST of $BED_HOSTS"
# shellcheck source=tools/rdma_bed/guest/rails.sh
. "$tools/guest/rails.sh"
if bring_up_rails; then
  sh "$command_file"
  echo "@bed status $?"
else
  echo "@bed broken: the rails did not come up"
fi
echo "@bed end"
