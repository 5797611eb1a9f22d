#!/usr/bin/env bash
# The two ends of `make lab2` around `docker compose up`:
#   setup/lab2.sh prepare   checks the port and makes the token
#   setup/lab2.sh url       prints where to click and how to stop
set -euo pipefail

cd "$(dirname "$0")/.."
# shellcheck source=lib.sh
. setup/lib.sh

token_file=ds-lab/.secrets/jupyter_token
PORT=${PORT:-8888}
BIND=${BIND:-127.0.0.1}

is_port() {
  case "$1" in "" | *[!0-9]* | ??????*) return 1 ;; esac
  [ "$1" -ge 1 ] && [ "$1" -le 65535 ]
}

# Where JupyterLab is published now, as address:port; nothing when it does not run.
published() { docker compose --project-directory ds-lab port jupyter 8888 2>/dev/null || true; }

is_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

check_port() {
  is_port "$PORT" || die "PORT=$PORT is not a port: give a number from 1 to 65535, e.g. 'PORT=8890 make lab2'"
  case "$(published)" in *":$PORT") return ;; esac
  ! is_taken "$PORT" || die "port $PORT is taken by another program: choose another, e.g. 'PORT=$((PORT < 65534 ? PORT + 2 : 8890)) make lab2'"
}

random_token() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

# The token stays until `make lab2-down`; JUPYTER_TOKEN replaces it.
make_token() {
  local token old=""
  [ ! -f "$token_file" ] || old=$(cat "$token_file")
  token=${JUPYTER_TOKEN:-${old:-$(random_token)}}
  # Other characters would have to be escaped in the URL.
  case "$token" in *[!A-Za-z0-9._~-]*) die "JUPYTER_TOKEN may hold letters, digits and . _ ~ - only" ;; esac
  [ "$token" != "$old" ] || return 0
  # A server reads its token when it starts.
  [ -z "$(published)" ] || docker compose --project-directory ds-lab stop
  mkdir -p "${token_file%/*}"
  (umask 077 && printf '%s' "$token" >"$token_file")
}

print_url() {
  local host=$BIND
  [ "$host" != 0.0.0.0 ] || host=127.0.0.1
  say ""
  say "JupyterLab: http://$host:$PORT/lab?token=$(cat "$token_file")"
  [ "$BIND" != 0.0.0.0 ] || say "  from other machines: the same with this machine's name or address in place of 127.0.0.1"
  say "  notebooks: ds-lab/notebooks    stop: make lab2-down"
}

case "${1:-}" in
  prepare)
    check_port
    make_token
    ;;
  url) print_url ;;
  *) die "usage: setup/lab2.sh prepare|url" ;;
esac
