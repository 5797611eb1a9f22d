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
  for file in */compose.yaml setup/course/compose.yaml; do
    docker compose --project-directory "${file%/*}" --profile '*' config -q || return 1
  done
  # What is given after a lab's compose.yaml.
  for file in $(git ls-files '*/production/*.yaml' '*/cluster/*.yaml' ':!*/stack.yaml'); do
    docker compose -f "${file%%/*}/compose.yaml" -f "$file" config -q || return 1
  done
  for file in $(git ls-files '*/stack.yaml'); do
    IMAGE=image SHARED=/shared docker stack config --compose-file "$file" >/dev/null || return 1
  done
}

# Labs and services are checked one by one, each with the packages beside it: every one has its own `settings` or `logs`.
# So is each exercise's check; what a learner gets or writes is not typed, nor what others' documentation shows.
types() {
  local root packages failed=0
  for root in $(git ls-files '*/*.py' ':!tests' ':!benchmarks/naive' ':!benchmarks/peers' ':!exercises/*/*/*' ':!exercises/*/check.py' | sed 's#/[^/]*$##' | sort -u); do
    [ ! -e "$root/__init__.py" ] || continue
    packages=$(find "$root" -mindepth 2 -maxdepth 2 -name __init__.py | sed 's#/__init__.py$##')
    # shellcheck disable=SC2086  # a list of names
    MYPYPATH=$root mypy --cache-dir ".mypy_cache/$root" --disallow-untyped-defs "$root"/*.py $packages || failed=1
  done
  for root in exercises/*/check.py; do
    MYPYPATH=exercises mypy --cache-dir .mypy_cache/exercises --disallow-untyped-defs --no-error-summary "$root" || failed=1
  done
  # The folders that pyproject.toml gives to pytest.
  MYPYPATH=tests/support:tests/soak:benchmarks:batch-job mypy --cache-dir .mypy_cache/tests tests || failed=1
  return "$failed"
}

check ruff check .
check ruff format --check .
# shellcheck disable=SC2046  # file names here have no spaces
check shellcheck -x -P SCRIPTDIR $(git ls-files '*.sh' .ci/run ':!exercises')
# Of the exercises the solutions: what a learner gets, and what is nearly right, is wrong on purpose.
# shellcheck disable=SC2046
check shellcheck --shell=sh $(git ls-files 'exercises/*/solution*/*.sh')
# shellcheck disable=SC2046
check hadolint $(git ls-files '*Dockerfile*' ':!*.dockerignore' ':!benchmarks/naive' ':!exercises/*/start/*' ':!exercises/*/wrong-*')
check yamllint --strict .
check check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml ./*/.github/workflows/*.yml
check check-jsonschema --quiet --builtin-schema vendor.dependabot .github/dependabot.yml
check zizmor --offline --quiet .github/workflows ./*/.github/workflows
check compose_files
check types

[ -z "$failed" ] || { printf 'lint: failed:%s\n' "$failed" >&2; exit 1; }
