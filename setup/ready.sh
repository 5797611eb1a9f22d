#!/usr/bin/env bash
# Makes this machine ready for labs: a Docker engine, and the base images of the lab folders given, or images by name.
# Says nothing and takes under a second when everything is there. Usage: setup/ready.sh LAB|IMAGE:TAG...
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=engine.sh
. "$here/engine.sh"
# shellcheck source=images.sh
. "$here/images.sh"

ensure_engine
ensure_disk
for lab in "$@"; do
  case "$lab" in *:*) ensure_image "$lab" && continue ;; esac
  [ -d "$lab" ] || die "there is no lab folder '$lab' here"
  for image in $(base_images "$lab"); do
    ensure_image "$image"
  done
  # What one lab needs beyond its base images where little can be reached.
  if [ -x "$here/offline/ready-$lab.sh" ]; then "$here/offline/ready-$lab.sh"; fi
done
