#!/usr/bin/env bash
# Stops the labs given and removes what they made, and nothing else: their containers, the images they build, and the
# volumes and files that their .cleanup names. Asks first; YES=1 does not. Usage: setup/clean.sh LAB...
set -euo pipefail

cd "$(dirname "$0")/.."
# shellcheck source=lib.sh
. setup/lib.sh
# shellcheck source=engine.sh
. setup/engine.sh

# The lines of .cleanup of lab $1, without comments.
named() { sed '/^#/d; /^$/d' "$1/.cleanup"; }

# Prints what there is of lab $1, a line each: what it is, its name, and what a volume holds.
find_made() {
  local project name other path part words image
  project=$(docker compose --project-directory "$1" config --no-interpolate | sed -n 's/^name: //p')
  docker ps --all --filter "label=com.docker.compose.project=$project" --format 'container {{.Names}}'
  docker network ls --filter "label=com.docker.compose.project=$project" --format 'network {{.Name}}'
  built_services "$1" | while read -r _ image; do
    ! docker image inspect "$image" >/dev/null 2>&1 || say "image $image"
  done
  named "$1" | sed -n 's/^volume //p' | while read -r name words; do
    ! docker volume inspect "${project}_$name" >/dev/null 2>&1 || say "volume ${project}_$name ($words)"
  done
  named "$1" | sed '/^volume /d' | while read -r name _ other; do
    path=$1/$name
    # What a run that was killed had not yet renamed.
    part=${path%/*}/.${path##*/}.part
    [ ! -f "$part" ] || say "file $part"
    # Yours as soon as it is not what the lab made.
    [ -z "$other" ] || cmp -s "$path" "$1/$other" || continue
    [ ! -f "$path" ] || say "file $path"
  done
}

remove() {
  case "$1" in
    network) docker network rm --force "$2" ;;
    volume) docker volume rm "$2" ;;
    # Without force: what a container of another project uses stays, and Docker says so.
    image) docker image rm "$2" || true ;;
    file)
      rm -f "$2"
      case "$2" in */.secrets/*) rmdir "${2%/*}" 2>/dev/null || true ;; esac
      ;;
  esac </dev/null >/dev/null
}

[ "${YES:-}" = 1 ] || [ -t 0 ] || die "make clean asks before it removes, and here is no terminal to ask on: 'YES=1 make clean' does not ask"
engine_answers || die "no Docker engine answers, and the labs' containers and volumes are there: start it, then 'make clean'"

made=$(for lab in "$@"; do find_made "$lab"; done | sort -u)
[ -n "$made" ] || { say "clean: the labs have left nothing here"; exit; }
say "clean: this goes, and nothing else:"
say "$made"
if [ "${YES:-}" != 1 ]; then
  read -r -p "Remove all of it? [y/N] " answer || answer=""
  case "$answer" in [yY]*) ;; *) say "clean: nothing was removed"; exit ;; esac
fi

for lab in "$@"; do
  docker compose --project-directory "$lab" --profile '*' down --remove-orphans
done
say "$made" | while read -r kind name _; do remove "$kind" "$name"; done
say "clean: done"
