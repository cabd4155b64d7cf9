#!/usr/bin/env bash
# Every system library that tests load must stand in third_party/googletest/sanitizer_defaults.cc:
# those are not instrumented, and what they do looks like a race to the thread sanitizer.
set -euo pipefail

defaults=third_party/googletest/sanitizer_defaults.cc
missing=0
count=0
while read -r library; do
  case $library in
    # The C and C++ runtimes: the sanitizer replaces or understands what these do.
    ld-linux* | linux-vdso* | libc.so* | libm.so* | libgcc_s.so* | libstdc++.so*) continue ;;
    lib*san.so*) continue ;;
  esac
  count=$((count + 1))
  grep -qF "called_from_lib:$library\\n" "$defaults" || {
    echo "missing in $defaults: $library"
    missing=$((missing + 1))
  }
done < <(
  {
    ldd tests/sanitizers/all_libraries | awk '{print $1}'
    ls /usr/lib/*-linux-gnu/libabsl_*.so.20220623
  } | sed 's#.*/##' | sort -u
)

echo "$count libraries, $missing missing"
[[ $count -gt 20 && $missing -eq 0 ]]
