#!/usr/bin/env bash
# Stops the labs given and removes what they made: containers, named volumes, images, written files.
# Base images stay. Usage: setup/clean.sh LAB...
set -euo pipefail

cd "$(dirname "$0")/.."
# shellcheck source=lib.sh
. setup/lib.sh

# Your own input may lie where the sample is generated.
kept=":(exclude)batch-job/data/raw.csv"

if docker info >/dev/null 2>&1; then
  images=$(docker image ls -q --filter label=org.opencontainers.image.vendor=docker-labs-for-ml | sort -u)
  for lab in "$@"; do
    say "removing the containers, networks and volumes of $lab"
    # shellcheck disable=SC2046  # a list of options
    docker compose $(files_of "$lab") --profile '*' down --volumes --remove-orphans
  done
  if [ -n "$images" ]; then
    say "removing the labs' images:"
    docker image ls --filter label=org.opencontainers.image.vendor=docker-labs-for-ml
    # shellcheck disable=SC2086  # a list of ids
    docker image rm --force $images >/dev/null
  fi
fi

if git rev-parse --git-dir >/dev/null 2>&1; then
  say "removing the files that git ignores (batch-job/data/raw.csv stays, it may be yours):"
  git clean -fdX -- . "$kept"
else
  say "not a git checkout: the files that the labs wrote stay"
fi
