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
    if can_install; then bad engine "none answers: 'make lab1' installs and starts one"; else bad engine "$(how_to_get_docker)"; fi
  elif [ "${version%%.*}" -lt "$OLDEST_ENGINE" ]; then
    bad engine "$version is too old: install $OLDEST_ENGINE or newer, $DOCKER_DOCS"
  else
    good engine "$version"
  fi
}

# $1 = name, $2 = its version or nothing
check_plugin() {
  if [ -n "$2" ]; then good "$1" "$2"; else bad "$1" "missing: 'make lab1' installs it, or see $DOCKER_DOCS"; fi
}

check_disk() {
  local free
  free=$(engine_disk_free)
  [ -n "$free" ] || free=$(df -Pk . | awk 'NR == 2 { print int($4 / 1024) }')
  free=$((free / 1024))
  if [ "$free" -ge 10 ]; then good disk "$free GiB free"; else bad disk "$free GiB free, 10 are wanted: 'docker system prune' frees some"; fi
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

port_is_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

port_holder() {
  local holder
  holder=$(docker ps --filter "publish=$1" --format 'container {{.Names}}' 2>/dev/null | head -n 1)
  [ -n "$holder" ] || holder=$(ss -Hltnp "sport = :$1" 2>/dev/null | sed -n 's/.*users:(("\([^"]*\)",pid=\([0-9]*\).*/\1 (pid \2)/p' | head -n 1)
  [ -n "$holder" ] || holder=$(lsof -nP -iTCP:"$1" -sTCP:LISTEN 2>/dev/null | awk 'NR == 2 { print $1 " (pid " $2 ")" }')
  say "${holder:-another program}"
}

check_port() {
  if port_is_taken "$1"; then
    note "port $1" "held by $(port_holder "$1"): stop it, or choose another with PORT=..."
  else
    good "port $1" "free"
  fi
}

check_gpu() {
  if docker info --format '{{json .Runtimes}}' 2>/dev/null | grep -q nvidia; then
    good gpu "the engine has the NVIDIA runtime"
  elif [ -e /dev/nvidia0 ]; then
    note gpu "there is a GPU but the engine has no NVIDIA runtime: install the NVIDIA Container Toolkit"
  else
    note gpu "none: everything runs on the CPU"
  fi
}

check_engine
check_plugin compose "$(compose_version)"
check_plugin buildx "$(buildx_version)"
check_disk
check_memory
check_registry
check_images
for port in 8000 8888 9090 5000 5001; do
  check_port "$port"
done
check_gpu
exit "$failed"
