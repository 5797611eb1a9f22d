# shellcheck shell=bash
# What a build's cache counts besides the images, made the same on the machine that saves and on those that load:
# the wheels that setup has put into a lab, and the modes of the files that packages are installed from.

WHEELS=labs-wheels

# They are no image: they travel in one. Prints its name, or nothing where labs $@ have no wheels.
pack_wheels() {
  local lab wheels
  wheels=$(for lab in "$@"; do ls "$lab"/wheels/*.whl 2>/dev/null || true; done)
  [ -n "$wheels" ] || return 0
  # shellcheck disable=SC2086  # a list of names
  tar -cf - $wheels | docker import - "$WHEELS" >/dev/null
  say "$WHEELS"
}

unpack_wheels() {
  local container lab
  is_present "$WHEELS" || return 0
  container=$(docker create "$WHEELS" nothing)
  for lab in "$@"; do
    [ ! -d "$lab/wheels" ] || docker cp --quiet "$container:$lab/wheels/." "$lab/wheels/"
  done
  docker rm "$container" >/dev/null
  drop_wheels
}

# The image only; nothing runs from it.
drop_wheels() { ! is_present "$WHEELS" || docker image rm "$WHEELS" >/dev/null; }

# A clone's modes follow its owner's umask (664 on Ubuntu, 644 elsewhere), and with another mode a file is another
# file to the cache. Only what git holds of lists of packages and code: any other file is somebody's own.
same_modes() {
  local file
  git ls-files -z -- "$1/*.txt" "$1/*.py" "$1/*.css" "$1/*.svg" "$1/wheels" 2>/dev/null | while IFS= read -r -d '' file; do
    [ ! -f "$file" ] || chmod go=u-w "$file"
    case "$file" in */wheels/*) chmod go=u-w "${file%/*}" ;; esac
  done
}
