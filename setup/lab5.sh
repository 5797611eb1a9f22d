#!/usr/bin/env bash
# The two ends of `make lab5` around docker compose:
#   setup/lab5.sh ports   checks that both ports are free, or already ours
#   setup/lab5.sh urls    prints where to click and how to stop
set -euo pipefail

cd "$(dirname "$0")/.."
# shellcheck source=lib.sh
. setup/lib.sh

PORT=${PORT:-5000}
MLFLOW_PORT=${MLFLOW_PORT:-5001}

published() { docker compose --project-directory mlflow-flask port "$1" 5000 2>/dev/null || true; }

is_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Service $1 on port $3, which variable $2 sets; $4 is a port to suggest.
check_port() {
  case "$3" in "" | *[!0-9]* | ??????*) die "$2=$3 is not a port: give a number, e.g. '$2=$4 make lab5'" ;; esac
  case "$(published "$1")" in *":$3") return ;; esac
  ! is_taken "$3" || die "port $3 is taken by another program: choose another for $1, '$2=$4 make lab5'"
}

case "${1:-}" in
  ports)
    [ "$PORT" != "$MLFLOW_PORT" ] || die "PORT and MLFLOW_PORT are both $PORT: give two different ports"
    check_port mlapp PORT "$PORT" 5010
    check_port mlflow MLFLOW_PORT "$MLFLOW_PORT" 5011
    ;;
  urls)
    say ""
    say "MLflow: http://127.0.0.1:$MLFLOW_PORT    predictions: http://127.0.0.1:$PORT/predict    stop: make lab5-down"
    ;;
  *) die "usage: setup/lab5.sh ports|urls" ;;
esac
