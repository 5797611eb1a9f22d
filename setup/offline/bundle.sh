#!/usr/bin/env bash
# The images of all labs as one file, for a room without a network. Usage:
#   setup/offline/bundle.sh images LAB...       what a class will download, with sizes
#   setup/offline/bundle.sh save FILE LAB...    build the labs, write their images to FILE (FILE.zst: with zstd, else gzip)
#   setup/offline/bundle.sh load FILE LAB...    take the images from FILE, so that the labs build and run offline
# The folder exercises counts as a lab that builds nothing.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=../lib.sh
. "$here/../lib.sh"
# shellcheck source=../engine.sh
. "$here/../engine.sh"
# shellcheck source=../images.sh
. "$here/../images.sh"
# shellcheck source=carry.sh
. "$here/carry.sh"

# The files that say what is built in the lab that is the current folder.
bake_files() {
  local beside
  printf -- '-f compose.yaml'
  for beside in production cluster; do
    if [ -f "$beside/compose.yaml" ]; then printf -- ' -f %s/compose.yaml' "$beside"; fi
  done
}

# The cache travels inside the images: a machine that loads them builds as if it had built them before.
build_with_cache() {
  # shellcheck disable=SC2046  # lists of names
  (cd "$1" && docker buildx bake --load $(bake_files) --set "*.cache-to=type=inline" $(bases_as_new) \
    $(built_services . | awk '{ print "--set", $1 ".tags=" $2, $1 }'))
}

AS_NEW=labs-as-new

# Options of bake for the lab that is the current folder, where images are in containerd's store. There the cache knows a base
# image by the digest of its manifest, which Docker's older store does not keep; by its layers, which both have, only when it
# has not met that manifest before. So each base gets a manifest that is new: the same image, with another note in it.
bases_as_new() {
  local image
  docker info --format '{{json .DriverStatus}}' | grep -q io.containerd.snapshotter || return 0
  for image in $(base_images .); do
    say "FROM $image" | docker buildx build --quiet --annotation "labs.saved=$(date +%s)-$RANDOM" --tag "$AS_NEW/$image" - >/dev/null
    say "--set *.contexts.$image=docker-image://$AS_NEW/$image"
  done
}

drop_bases_as_new() {
  local images
  images=$(docker image ls --format '{{.Repository}}:{{.Tag}}' | grep "^$AS_NEW/" || true)
  # shellcheck disable=SC2086  # a list of names
  [ -z "$images" ] || docker image rm $images >/dev/null
}

# Hands that cache to the builder; nothing is downloaded, and only what the images lack is built. A folder of images is the
# one form that the builder takes it from with either of the engine's image stores.
build_from_cache() {
  local images
  images=$(built_services "$1" | awk '{ print $2 }')
  # shellcheck disable=SC2046,SC2086  # lists of names
  docker save $images | tar -x -C "$cache" && (cd "$1" && docker buildx bake --load $(bake_files) $(cached_services))
}

# Options of bake for the lab that is the current folder: of each service the name of its image and where its cache is.
cached_services() {
  local service image
  built_services . | while read -r service image; do
    printf -- '--set %s.tags=%s --set %s.cache-from=type=local,src=%s,digest=%s %s\n' \
      "$service" "$image" "$service" "$cache" "$(digest_in "$cache" "$image")" "$service"
  done
}

# The digest under which folder $1, written by `docker save`, has image $2.
digest_in() {
  awk -v RS='{' -v name="\"docker.io/library/$2:latest\"" '
    match($0, /"digest":"[^"]*"/) { digest = substr($0, RSTART + 10, RLENGTH - 11) }
    index($0, name) { print digest; exit }' "$1/index.json"
}

# Runs a command whose output matters only when it fails.
quietly() {
  local log
  log=$(mktemp)
  "$@" >"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    die "failed: $*"
  }
  rm -f "$log"
}

# The command that compresses to file $1. On two cores zstd takes a third of gzip's time, and the file is a fifth smaller;
# an engine reads both, but not every machine has zstd.
compressor() {
  case "$1" in
    *.zst)
      command -v zstd >/dev/null || die "this machine has no zstd: install it, or name the file $(basename "$1" .zst).gz"
      say zstd -q -3 -T0
      ;;
    *) say gzip -1 ;;
  esac
}

save() {
  local file=$1 lab images wheels compress
  compress=$(compressor "$file")
  # Beside it and renamed: a file of that name is always whole.
  part=$file.part
  trap 'rm -f "$part"; drop_wheels; drop_bases_as_new' EXIT
  shift
  for lab in "$@"; do
    [ -f "$lab/compose.yaml" ] || continue
    say "bundle: building $lab"
    same_modes "$lab"
    quietly build_with_cache "$lab"
  done
  images=$(for lab in "$@"; do
    base_images "$lab"
    [ ! -f "$lab/compose.yaml" ] || built_services "$lab" | awk '{ print $2 }'
  done | sort -u)
  say "bundle: writing $file"
  wheels=$(pack_wheels "$@")
  # shellcheck disable=SC2086  # lists of words
  docker save $images $wheels | $compress >"$part"
  mv "$part" "$file"
  say "bundle: $file holds these images in $(du -m "$file" | cut -f1) MB:"
  # shellcheck disable=SC2086
  printf '  %s\n' $images
}

load() {
  local file=$1 lab
  shift
  [ -r "$file" ] || die "there is no bundle '$file' (make load BUNDLE=file)"
  say "load: reading $file"
  docker load --quiet --input "$file" | sed -n 's/^Loaded image: /  /p'
  unpack_wheels "$@"
  for lab in "$@"; do
    same_modes "$lab"
    [ -f "$lab/compose.yaml" ] || continue
    cache=$(mktemp -d)
    trap 'rm -rf "$cache"' EXIT
    quietly build_from_cache "$lab"
    rm -rf "$cache"
    say "load: $lab is ready"
  done
}

# Megabytes that a download of image $1 is, summed over the layers for this machine's processor.
download_size() {
  docker manifest inspect --verbose "$1" 2>/dev/null | awk -v arch="$(docker version --format '{{.Server.Arch}}')" '
    /"architecture":/ { current = $2; gsub(/[",]/, "", current) }
    /"layers": \[/ { inside = 1 }
    inside && /"size":/ { size = $2; sub(/,/, "", size); if (current == arch) sum += size }
    inside && /^\t*\]/ { inside = 0 }
    END { if (sum) printf "%d MB to download", sum / 1000000 }'
}

# The same of the unpacked layers of an image that is here.
size_on_disk() { docker history --human=false --format '{{.Size}}' "$1" | awk '{ sum += $1 } END { printf "%d", sum / 1000000 }'; }

list() {
  local image size
  for image in $(for lab in "$@"; do base_images "$lab"; done | sort -u); do
    if is_present "$image"; then
      size="here, $(size_on_disk "$image") MB on disk"
    else
      size=$(download_size "$image")
    fi
    printf '%-40s %s\n' "$image" "${size:-not here, and no registry answers}"
  done
}

command=${1:-}
shift || true
case "$command" in
  images) list "$@" ;;
  save) save "$@" ;;
  load) load "$@" ;;
  *) die "usage: setup/offline/bundle.sh images LAB... | save FILE LAB... | load FILE LAB..." ;;
esac
