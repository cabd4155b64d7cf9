#!/bin/sh
# Makes pull.ptx of pull.cu: with nvcc of CUDA 13.0, so that a comparison of the text means
# something.
# Usage: make_ptx.sh [output]
set -eu
cd "$(dirname "$0")"
made=$(mktemp)
"${NVCC:-nvcc}" -std=c++17 -O3 -arch=compute_80 --ptx -o "$made" pull.cu
expand -t 2 "$made" | sed 's/ *$//' | cat -s | sed '$ { /^$/ d }' > "${1:-pull.ptx}"
rm -f "$made"
