#!/usr/bin/env bash
# Prints the uid:gid a container runs as so that the caller owns what it writes. A rootless engine maps
# root inside to the caller outside; every other engine keeps the numbers.
set -euo pipefail

if docker info --format '{{.SecurityOptions}}' 2>/dev/null | grep -q rootless; then
  echo 0:0
else
  echo "$(id -u):$(id -g)"
fi
