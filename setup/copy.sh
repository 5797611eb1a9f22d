#!/usr/bin/env bash
# Copies one lab to a new folder as the start of a project: its files under the new name, in a new git repository.
# Usage: setup/copy.sh LAB TO
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=lib.sh
. "$root/setup/lib.sh"

lab=${1:-}
to=${2:-}
[ -n "$lab" ] && [ -n "$to" ] || die "usage: make copy LAB=batch-job TO=../my-job"
[ -f "$root/$lab/compose.yaml" ] || die "there is no lab '$lab'"
[ ! -e "$to" ] || [ -z "$(ls -A "$to")" ] || die "$to is there and not empty"

mkdir -p "$to"
to=$(cd "$to" && pwd)
name=$(basename "$to")

# What git holds of the lab, or would hold: not what a run has written. Everything where there is no git.
files_of_lab() {
  cd "$root/$lab"
  git ls-files --cached --others --exclude-standard -z 2>/dev/null || find . -type f -print0
}

files_of_lab | while IFS= read -r -d '' file; do
  [ -e "$root/$lab/$file" ] || continue
  mkdir -p "$to/$(dirname "$file")"
  cp -p "$root/$lab/$file" "$to/$file"
  # A copy beside the file and a rename: sed -i is not the same on macOS. Binary files hold no such line.
  if grep -Iq "$lab" "$to/$file"; then
    sed "s#$lab#$name#g" "$root/$lab/$file" >"$to/$file"
  fi
done
# Wheels that setup put there because no package index hands them out: git holds none, the build needs them.
if [ -d "$root/$lab/wheels" ]; then
  find "$root/$lab/wheels" -name '*.whl' -exec cp -p {} "$to/wheels/" \;
fi
cp "$root/LICENSE" "$to/LICENSE"
git -C "$to" init --quiet
git -C "$to" add --all
say "$to is ready: see its README.md"
