#!/usr/bin/env bash
# Makes .venv, with what the tests and the linters need, from the hash-locked tests/requirements.txt.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=engine.sh
. "$here/engine.sh"

has_python() { python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; }

cd "$here/.."
cmp -s tests/requirements.txt .venv/requirements.txt && exit

if ! has_python && can_install && [ -z "${LABS_NO_INSTALL:-}" ]; then
  say "setup: installing python3-venv for the tests"
  { apt_get update && apt_get install -y --no-install-recommends python3-venv; } >/dev/null
fi
has_python || die "the tests need Python 3.10 or newer with its venv module (the labs need no Python here)"

say "setup: making .venv for the tests"
rm -rf .venv
python3 -m venv .venv
# uv, which is one of the locked packages, takes the rest in a tenth of pip's time. The file names all that is needed.
sed -n '/^uv==/,/[^\\]$/p' tests/requirements.txt |
  .venv/bin/pip install -qq --disable-pip-version-check --no-deps --require-hashes -r /dev/stdin
.venv/bin/uv pip install --quiet --python .venv --no-deps --require-hashes -r tests/requirements.txt
# Written last: a run that was interrupted starts over.
cp tests/requirements.txt .venv/requirements.txt
