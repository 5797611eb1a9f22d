#!/usr/bin/env bash
# The two ends of `make lab5` around docker compose:
#   setup/lab5.sh ports   checks that both ports are free, or already ours
#   setup/lab5.sh urls    prints where to click and how to stop
set -euo pipefail

cd "$(dirname "$0")/.."
# shellcheck source=ports.sh
. setup/ports.sh

case "${1:-}" in
  ports)
    check_port mlflow-flask mlapp 5000 PORT lab5
    check_port mlflow-flask mlflow 5000 MLFLOW_PORT lab5
    port=$(configured mlflow-flask mlapp published)
    [ "$port" != "$(configured mlflow-flask mlflow published)" ] ||
      die "PORT and MLFLOW_PORT are both $port: give two different ports"
    ;;
  urls)
    say ""
    say "MLflow: http://127.0.0.1:$(configured mlflow-flask mlflow published)    predictions: http://127.0.0.1:$(configured mlflow-flask mlapp published)/predict    stop: make lab5-down"
    ;;
  *) die "usage: setup/lab5.sh ports|urls" ;;
esac
