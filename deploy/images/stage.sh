#!/usr/bin/env bash
# Gathers what the Containerfiles build from: the programs, stripped, and the files beside this one.
#
#   make build && deploy/images/stage.sh FOLDER
#   podman build -t baton-agent:0.1.0 -f FOLDER/Containerfile.agent FOLDER
set -euo pipefail

folder=$(realpath -m "${1:?usage: stage.sh FOLDER}")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# In the demo's image as in the build: its programs find each other by these names.
demo=(bootstrap_service/app/baton-bootstrap transfer_agent/app/baton-agent tests/demo/demo
  tests/demo/engine/demo_engine tests/demo/remote/demo_host tests/demo/remote/demo_remote)

place() {
  mkdir -p "$(dirname "$folder/$2")"
  rm -f "$folder/$2"
  strip -s -o "$folder/$2" "bazel-bin/$1"
  chmod 755 "$folder/$2"
}

place bootstrap_service/app/baton-bootstrap bin/baton-bootstrap
place transfer_agent/app/baton-agent bin/baton-agent
place client/ctl/batonctl bin/batonctl
for program in "${demo[@]}"; do place "$program" "baton-demo/$program"; done
mkdir -p "$folder/baton-demo/tests/demo/workload"
cp tests/demo/workload/sample.jsonl "$folder/baton-demo/tests/demo/workload/"
cp deploy/images/{root.sh,packages-*.txt,Containerfile.*} "$folder/"
