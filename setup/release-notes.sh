#!/usr/bin/env bash
# Prints what CHANGELOG.md says of a version. Usage: setup/release-notes.sh 1.0.0
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"

notes=$(awk -v version="${1:?give a version, e.g. 1.0.0}" '
  /^## / { inside = ($2 == version); next }
  inside' "$here/../CHANGELOG.md")
[ -n "$notes" ] || die "CHANGELOG.md has no section '## $1'"
say "$notes"
