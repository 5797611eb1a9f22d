#!/usr/bin/env bash
# Remakes every requirements.txt from its requirements.in, for all platforms, with hashes. Versions that are
# already locked stay; remove a requirements.txt first to take the newest of everything in it.
set -euo pipefail

cd "$(dirname "$0")/.."
# shellcheck source=lib.sh
. setup/lib.sh

# The Python of the Dockerfile that installs these requirements; the tests run on the host's.
python_of() {
  { cat "$(dirname "$1")"/Dockerfile* 2>/dev/null || true; } | sed -n 's/^FROM python:\(3\.[0-9]*\).*/\1/p' | head -n 1
}

for source in */requirements*.in */*/requirements*.in */*/*/requirements*.in; do
  [ -f "$source" ] && [ "${source#benchmarks/}" = "$source" ] || continue
  version=$(python_of "$source")
  say "lock: ${source%.in}.txt"
  (cd "$(dirname "$source")" && "$OLDPWD/.venv/bin/uv" pip compile --quiet --universal --generate-hashes \
    --python-version "${version:-3.10}" --custom-compile-command "make lock" \
    --no-emit-index-url --no-emit-find-links \
    "$(basename "$source")" -o "$(basename "${source%.in}.txt")")
done
