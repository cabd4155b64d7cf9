#!/usr/bin/env bash
# What a stamped target may know of the tree: the commit. Only //tests/simulation:commit_seed asks.
echo "STABLE_COMMIT $(git rev-parse HEAD 2>/dev/null || echo 1)"
