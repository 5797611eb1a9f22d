#!/usr/bin/env bash
# Says what this machine has for the labs, one line a fact: a tick, or a cross with the remedy.
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=engine.sh
. "$here/engine.sh"
# shellcheck source=images.sh
. "$here/images.sh"
# shellcheck source=ports.sh
. "$here/ports.sh"

failed=0
good() { printf '✓ %-11s %s\n' "$1" "$2"; }
note() { printf '· %-11s %s\n' "$1" "$2"; }
bad() {
  printf '✗ %-11s %s\n' "$1" "$2"
  failed=1
}

check_engine() {
  local version
  version=$(engine_version)
  if [ -z "$version" ]; then
    bad engine "$(who_keeps_silent || how_to_start)"
  elif [ "${version%%.*}" -lt "$OLDEST_ENGINE" ]; then
    bad engine "$(why_not "$version")"
  else
    good engine "$version"
  fi
}

how_to_start() {
  if may_install; then say "none answers: 'make lab1' installs and starts one"; else how_to_get_docker; fi
}

# $1 = name, $2 = its version or nothing
check_plugin() {
  if [ -n "$2" ]; then
    good "$1" "$2"
  elif may_install && { missing_plugins || ! command -v docker; } >/dev/null; then
    bad "$1" "missing: 'make lab1' installs it"
  else
    bad "$1" "missing: $(how_to_get_plugins)"
  fi
}

check_disk() {
  local free
  free=$(engine_disk_free)
  [ -n "$free" ] || free=$(df -Pk . | awk 'NR == 2 { print int($4 / 1024) }')
  free=$((free / 1024))
  if [ "$free" -ge 10 ]; then good disk "$free GiB free"; else bad disk "$free GiB free, 10 are wanted: 'docker system df' shows what is used, 'docker builder prune' frees some"; fi
}

check_memory() {
  local bytes gib
  bytes=$(docker info --format '{{.MemTotal}}' 2>/dev/null)
  [ -n "$bytes" ] || return
  gib=$((bytes / 1073741824))
  if [ "$gib" -ge 3 ]; then good memory "$gib GiB for containers"; else bad memory "$gib GiB for containers, 4 are wanted: give the engine more"; fi
}

registry_state=unknown
check_registry() {
  local log pid
  engine_answers || return
  log=$(mktemp)
  docker manifest inspect hello-world:linux >"$log" 2>&1 &
  pid=$!
  wait_until 10 pull_spoke "$pid" "$log" || kill "$pid" 2>/dev/null
  if [ -s "$log" ] && ! grep -Eq "$NO_REGISTRY" "$log"; then
    registry_state=reachable
    good registry "reachable"
  else
    registry_state=unreachable
    note registry "not reachable: base images come from local stand-ins or 'docker load'"
  fi
  rm -f "$log"
}

check_images() {
  local image
  engine_answers || return
  for image in $(cd "$here/.." && for file in */compose.yaml; do base_images "${file%/*}"; done | sort -u); do
    if ! is_present "$image"; then
      note image "$image missing: its lab gets it when first run"
    elif ! is_standin "$image"; then
      good image "$image"
    elif [ "$registry_state" = reachable ]; then
      note image "$image is a local stand-in: 'docker pull $image' gets the real one"
    else
      good image "$image (local stand-in)"
    fi
  done
}

# $1 = port, $2 = the variable that chooses another
check_port_of() {
  if port_is_taken "$1"; then
    note "port $1" "held by $(port_holder "$1"): stop it, or choose another with $2=..."
  else
    good "port $1" "free"
  fi
}

check_gpu() {
  if engine_knows_gpus; then
    good gpu "the engine can hand out NVIDIA GPUs"
  elif [ -e /dev/nvidia0 ] || [ -e /dev/dxg ]; then
    note gpu "there is a GPU but the engine cannot hand it out: install the NVIDIA Container Toolkit"
  else
    note gpu "none: everything runs on the CPU"
  fi
}

check_python() {
  if python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
    good python "$(python3 --version | cut -d ' ' -f 2)"
  else
    note python "none from 3.10 on: 'make test' wants one, 'make learn' 3.9, the labs none"
  fi
}

check_engine
check_plugin compose "$(compose_version)"
check_plugin buildx "$(buildx_version)"
check_disk
check_memory
check_registry
check_images
check_port_of 8000 PORT
check_port_of 8080 PORT
check_port_of 8787 DASHBOARD_PORT
check_port_of 8888 PORT
check_port_of 9090 PROMETHEUS_PORT
check_port_of 5000 PORT
check_port_of 5001 MLFLOW_PORT
check_gpu
check_python
exit "$failed"
