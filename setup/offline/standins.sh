# shellcheck shell=bash
# Stand-ins for official images, built from Debian packages where no registry answers; images.sh calls this.

STANDINS="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/standins"
STANDIN_LABEL=labs.standin

is_standin() { [ -n "$(docker image inspect -f "{{index .Config.Labels \"$STANDIN_LABEL\"}}" "$1" 2>/dev/null)" ]; }

build_standin() {
  local file="$STANDINS/${1/://}.Dockerfile" log base
  [ -f "$file" ] || die "no registry answers, and there is no stand-in for $1; go online, or 'docker load' it from a file"
  say "setup: no registry answers: building a local stand-in for $1 from Debian packages"
  for base in $(images_in_dockerfile "$file"); do
    ensure_standin_base "$base"
  done
  log=$(mktemp)
  docker build -q -t "$1" --label "$STANDIN_LABEL=$1" - <"$file" >"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    die "the stand-in for $1 could not be built (the last lines are above)"
  }
  rm -f "$log"
}

ensure_standin_base() {
  is_present "$1" || "$STANDINS/../debian.sh" "$1" || die "the stand-in base $1 could not be built"
}
