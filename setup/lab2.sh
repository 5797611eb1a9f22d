#!/usr/bin/env bash
# The two ends of `make lab2` around `docker compose up`:
#   setup/lab2.sh token   makes the token
#   setup/lab2.sh url     prints where to click and how to stop
set -euo pipefail

cd "$(dirname "$0")/.."
# shellcheck source=ports.sh
. setup/ports.sh

token_file=ds-lab/.secrets/jupyter_token

random_token() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

# The token stays until `make lab2-down`; JUPYTER_TOKEN, also of ds-lab/.env, replaces it.
make_token() {
  local token old=""
  [ ! -f "$token_file" ] || old=$(cat "$token_file")
  token=${JUPYTER_TOKEN:-$(configured ds-lab jupyter JUPYTER_TOKEN)}
  token=${token:-${old:-$(random_token)}}
  # Other characters would have to be escaped in the URL.
  case "$token" in *[!A-Za-z0-9._~-]*) die "JUPYTER_TOKEN may hold letters, digits and . _ ~ - only" ;; esac
  [ "$token" != "$old" ] || return 0
  # A server reads its token when it starts.
  [ -z "$(docker compose --project-directory ds-lab ps --quiet)" ] || docker compose --project-directory ds-lab stop
  mkdir -p "${token_file%/*}"
  (umask 077 && printf '%s' "$token" >"$token_file")
}

print_url() {
  local bind host port
  bind=$(configured ds-lab jupyter host_ip)
  port=$(published ds-lab jupyter 8888)
  host=$bind
  [ "$host" != 0.0.0.0 ] || host=127.0.0.1
  say ""
  say "JupyterLab: http://$host:$port/lab?token=$(cat "$token_file")"
  [ "$bind" != 0.0.0.0 ] || say "  from other machines: the same with this machine's name or address in place of 127.0.0.1"
  say "  notebooks: ds-lab/notebooks    stop: make lab2-down"
}

case "${1:-}" in
  token) make_token ;;
  url) print_url ;;
  *) die "usage: setup/lab2.sh token|url" ;;
esac
