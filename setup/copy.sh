#!/usr/bin/env bash
# Copies one lab to a new folder as the start of a project: its files under the new name, in a new git repository.
# Usage: LAB=batch-job TO=../my-job setup/copy.sh
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd -P)
# shellcheck source=lib.sh
. "$root/setup/lib.sh"

lab=${LAB:-}
to=${TO:-}
[ -n "$lab" ] && [ -n "$to" ] || die "usage: make copy LAB=batch-job TO=../my-job"
case "$lab" in */* | .*) die "there is no lab '$lab'" ;; esac
[ -f "$root/$lab/compose.yaml" ] || die "there is no lab '$lab'"
command -v git >/dev/null || die "git is needed: it knows which files belong to the lab, and keeps those of the copy"

# The nearest folder that is there already, by its real path: a copy inside the repository would become one of its labs.
above=$to
while [ ! -d "$above" ]; do above=$(dirname "$above"); done
above=$(cd "$above" && pwd -P)
case "$above/" in "$root"/*) die "$to is inside this repository: choose a place outside, e.g. TO=../my-job" ;; esac
[ ! -e "$to" ] || [ -z "$(ls -A "$to")" ] || die "$to is there and not empty"

mkdir -p "$to"
to=$(cd "$to" && pwd -P)

# What Docker takes as a name: of the folder's name its letters and digits, in lower case; "-" for all else.
project=$(basename "$to" | tr '[:upper:]' '[:lower:]' | LC_ALL=C tr -cs 'a-z0-9\n' - | sed 's/^-//; s/-$//')
project=${project:-$lab-copy}

# The files that git holds. Without git's records (a downloaded archive) all that the lab's .gitignore does not name.
files_of_lab() {
  local records
  if [ -e "$root/.git" ]; then
    git -C "$root/$lab" ls-files -z
  else
    records=$(mktemp -d)
    git init --quiet --bare "$records"
    git --git-dir="$records" --work-tree="$root/$lab" -C "$root/$lab" ls-files --others --exclude-standard -z
    rm -rf "$records"
  fi
}

# The lab's name, and the name that its README gives to its image, become the project's.
image=$(sed -n 's/^docker build.* -t \([a-z-]*\) .*/\1/p' "$root/$lab/README.md" | head -n 1)

files_of_lab | while IFS= read -r -d '' file; do
  # Of use to "make clean" alone, which a copy has not.
  [ "$file" != .cleanup ] || continue
  [ -e "$root/$lab/$file" ] || continue
  mkdir -p "$to/$(dirname "$file")"
  cp -p "$root/$lab/$file" "$to/$file"
  # Of a text, lines about the repository say so in that word, and stay here.
  case "$file" in *.md) here=/repository/d ;; *) here="" ;; esac
  # A copy beside the file: sed -i is not the same on macOS. Binary files hold no such line.
  if grep -IEq "$lab|${image:-$lab}|repository" "$to/$file"; then
    sed -E "$here; s#$lab|${image:-$lab}#$project#g" "$root/$lab/$file" >"$to/$file"
  fi
done
# Wheels that setup put there because no package index hands them out: git holds none, the build needs them.
if [ -d "$root/$lab/wheels" ]; then
  find "$root/$lab/wheels" -name '*.whl' -exec cp -p {} "$to/wheels/" \;
fi
cp "$root/LICENSE" "$to/LICENSE"

# Compose and the images go by this name, wherever the folder is moved.
printf 'name: %s\n\n' "$project" | cat - "$to/compose.yaml" >"$to/compose.yaml.new"
mv "$to/compose.yaml.new" "$to/compose.yaml"

version=$(git -C "$root" describe --tags --always --dirty 2>/dev/null) || version=unknown
printf '\nStarted from %s of "Docker labs for ML that really run", version %s.\n' "$lab" "$version" >>"$to/README.md"

git -C "$to" init --quiet
git -C "$to" add --all
say "$to is ready: see its README.md"
say "its project and images are named $project"
