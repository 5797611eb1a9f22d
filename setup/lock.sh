#!/usr/bin/env bash
# Remakes every requirements.txt from its requirements.in, for all platforms, with hashes. Versions that are
# already locked stay; remove a requirements.txt first to take the newest of everything in it.
set -euo pipefail

cd "$(dirname "$0")/.."
# shellcheck source=lib.sh
. setup/lib.sh

# The labs, each as its README says, and the course. What is locked already is made anew too: an index has new versions every day.
for file in */lock.Dockerfile setup/course/lock.Dockerfile; do
  say "lock: ${file%/*}"
  (cd "${file%/*}" && docker build --quiet --no-cache-filter lock -f lock.Dockerfile --output . . >/dev/null)
done

say "lock: batch-job/cluster"
(cd batch-job && docker build --quiet --no-cache-filter lock -f cluster/lock.Dockerfile --output . . >/dev/null)

# What the tests need runs on the host's Python.
say "lock: tests"
cd tests
../.venv/bin/uv pip compile --quiet --universal --generate-hashes --python-version 3.10 \
  --custom-compile-command "make lock" --no-emit-index-url --no-emit-find-links requirements.in -o requirements.txt
