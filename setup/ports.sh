#!/usr/bin/env bash
# Ports of this machine: whether one is free, and who holds it. Sourced by others, and by itself before a lab starts:
#   setup/ports.sh check TARGET LAB SERVICE:INSIDE:VARIABLE...    ends the run where a port that you chose is taken
#   setup/ports.sh free LAB SERVICE:INSIDE:VARIABLE...            prints what to set where a default port is taken
#   setup/ports.sh urls TARGET LAB SERVICE:INSIDE:VARIABLE...     prints where they answer, and how to stop them
# INSIDE is the service's port in its container; VARIABLE chooses the one outside.

# shellcheck source=lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

# What the labs have by default, and the registry in lab 5's README: no lab gets another's.
USUAL_PORTS=" 5000 5001 5002 8000 8080 8787 8888 9090 "

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
  # shellcheck disable=SC2046  # a list of options
  docker compose $(files_of "$1") config 2>/dev/null | awk -v service="$2:" -v key="$3:" '
    /^  [^ ]/ { inside = ($1 == service) }
    inside && $1 == key && $2 != "null" && !found { gsub(/"/, "", $2); print $2; found = 1 }'
}

# The port at which service $2 of lab $1 is published now, at $3 inside; nothing where it does not run.
published() {
  # shellcheck disable=SC2046  # a list of options
  docker compose $(files_of "$1") port "$2" "$3" 2>/dev/null | sed -n 's/.*:\([1-9][0-9]*\)$/\1/p' || true
}

# Whether you chose the port of lab $1, by variable $2 or in the lab's .env.
is_chosen() { [ -n "${!2:-}" ] || grep -qs "^$2=" "$1/.env"; }

# Ends the run where a service of lab $2 cannot have the port that you chose. `make $1` is what to say.
check_ports() {
  local target=$1 lab=$2 row service inside variable port seen=" "
  shift 2
  for row in "$@"; do
    IFS=: read -r service inside variable <<<"$row"
    port=$(configured "$lab" "$service" published) || true
    case "$port" in
      "" | 0 | *[!0-9]*)
        # Of what stands in a file .env compose itself says what is wrong.
        [ -n "${!variable:-}" ] || docker compose --project-directory "$lab" config --quiet
        die "$variable=${!variable:-$port} is not a port: give a number from 1 to 65535, e.g. '$variable=8890 make $target'"
        ;;
    esac
    case "$seen" in *" $port "*) die "$variable=$port is another service's port too: give two different ports" ;; esac
    seen="$seen$port "
    if ! is_chosen "$lab" "$variable" || [ "$(published "$lab" "$service" "$inside")" = "$port" ]; then continue; fi
    ! port_is_taken "$port" ||
      die "port $port is taken by $(port_holder "$port"): choose another, e.g. '$variable=$((port < 65525 ? port + 10 : 8890)) make $target'"
  done
}

# Prints VARIABLE=PORT for each service of lab $1 whose default port is taken, and says by whom. What runs keeps its port.
free_ports() {
  local lab=$1 row service inside variable default port unusable=$USUAL_PORTS
  shift
  for row in "$@"; do
    IFS=: read -r service inside variable <<<"$row"
    if is_chosen "$lab" "$variable"; then continue; fi
    default=$(configured "$lab" "$service" published)
    port=$(published "$lab" "$service" "$inside")
    if [ -z "$port" ] && port_is_taken "$default"; then
      port=$default
      while [[ $unusable == *" $port "* ]] || port_is_taken "$port"; do port=$((port + 1)); done
      unusable="$unusable$port "
      say "port $default is taken by $(port_holder "$default"): $lab gets $port" >&2
    fi
    [ "${port:-$default}" = "$default" ] || printf '%s=%s ' "$variable" "$port"
  done
}

print_urls() {
  local target=$1 lab=$2 row service inside
  shift 2
  say ""
  for row in "$@"; do
    IFS=: read -r service inside _ <<<"$row"
    say "$service: http://127.0.0.1:$(published "$lab" "$service" "$inside")"
  done
  say "stop: make $target-down"
}

if [ "$0" = "${BASH_SOURCE[0]}" ]; then
  set -euo pipefail
  case "${1:-}" in
    check) check_ports "${@:2}" ;;
    free) free_ports "${@:2}" ;;
    urls) print_urls "${@:2}" ;;
    *) die "usage: setup/ports.sh check|free|urls ..." ;;
  esac
fi
