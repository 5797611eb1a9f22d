#!/usr/bin/env bash
# Ports of this machine: whether one is free, and who holds it. Sourced by others, and by itself before a lab starts:
#   setup/ports.sh LAB SERVICE INSIDE VARIABLE TARGET     as check_port, below

# shellcheck source=lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

port_is_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

port_holder() {
  local holder
  holder=$(docker ps --filter "publish=$1" --format 'container {{.Names}}' 2>/dev/null | head -n 1) || holder=""
  [ -n "$holder" ] || holder=$(ss -Hltnp "sport = :$1" 2>/dev/null | sed -n 's/.*users:(("\([^"]*\)",pid=\([0-9]*\).*/\1 (pid \2)/p' | head -n 1) || holder=""
  [ -n "$holder" ] || holder=$(lsof -nP -iTCP:"$1" -sTCP:LISTEN 2>/dev/null | awk 'NR == 2 { print $1 " (pid " $2 ")" }') || holder=""
  say "${holder:-another program}"
}

# The value of key $3 at service $2 of lab $1, as compose takes it from the environment, from the lab's .env, or by default.
configured() {
  docker compose --project-directory "$1" config 2>/dev/null | awk -v service="$2:" -v key="$3:" '
    /^  [^ ]/ { inside = ($1 == service) }
    inside && $1 == key && $2 != "null" && !found { gsub(/"/, "", $2); print $2; found = 1 }'
}

# Ends the run where service $2 of lab $1 could not publish its port $3. Variable $4 and `make $5` are what to say.
check_port() {
  local port
  port=$(configured "$1" "$2" published) || true
  case "$port" in
    "" | 0 | *[!0-9]*)
      # Of what stands in a file .env compose itself says what is wrong.
      [ -n "${!4:-}" ] || docker compose --project-directory "$1" config --quiet
      die "$4=${!4:-$port} is not a port: give a number from 1 to 65535, e.g. '$4=8890 make $5'"
      ;;
  esac
  case "$(docker compose --project-directory "$1" port "$2" "$3" 2>/dev/null)" in *":$port") return ;; esac
  ! port_is_taken "$port" ||
    die "port $port is taken by $(port_holder "$port"): choose another, e.g. '$4=$((port < 65525 ? port + 10 : 8890)) make $5'"
}

if [ "$0" = "${BASH_SOURCE[0]}" ]; then
  set -euo pipefail
  check_port "$@"
fi
