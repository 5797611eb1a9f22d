#!/usr/bin/env bash
# Runs every linter over the tree; each one's findings are printed, and any finding fails the run.
set -uo pipefail

cd "$(dirname "$0")/.." || exit
PATH="$PWD/.venv/bin:$PATH"
failed=""

check() {
  printf 'lint: %s\n' "$1"
  "$@" || failed="$failed $1"
}

compose_files() {
  local file
  for file in */compose.yaml; do
    docker compose --project-directory "${file%/*}" --profile '*' config -q || return 1
  done
}

check ruff check .
check ruff format --check .
# shellcheck disable=SC2046  # file names here have no spaces
check shellcheck -x -P SCRIPTDIR $(git ls-files '*.sh' .ci/run)
# shellcheck disable=SC2046
check hadolint $(git ls-files '*Dockerfile*' ':!*.dockerignore' ':!benchmarks/naive')
check yamllint --strict .
check check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
check zizmor --offline --quiet .github/workflows
check compose_files

[ -z "$failed" ] || { printf 'lint: failed:%s\n' "$failed" >&2; exit 1; }
