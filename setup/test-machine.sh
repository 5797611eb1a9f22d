#!/usr/bin/env bash
# Runs the tests that depend on Docker's image store on a second machine: a privileged container with an engine of its own,
# whose store is containerd's. Usage: setup/test-machine.sh PYTEST_ARGUMENT...
set -euo pipefail

cd "$(dirname "$0")/.."
# shellcheck source=lib.sh
. setup/lib.sh
# shellcheck source=images.sh
. setup/images.sh

name=labs-machine
inside() { docker exec "$name" "$@"; }
answers() { inside docker version >/dev/null 2>&1; }
remove() { docker rm --force --volumes "$name" >/dev/null 2>&1 || true; }

[ "$(uname -s)" = Linux ] || die "make test-machine needs Linux: elsewhere Docker runs in a machine of its own already"
ensure_image registry:3
say "machine: starting one"
docker build --quiet --tag "$name" - <tests/machine.Dockerfile >/dev/null
remove
trap remove EXIT
docker run --detach --privileged --cgroupns private --name "$name" --volume /var/lib/docker "$name" >/dev/null
wait_until 60 answers || { docker logs --tail 20 "$name" >&2; die "its engine does not answer (its log is above)"; }

say "machine: giving it the base images, and the files that git holds or would hold"
# shellcheck disable=SC2046  # a list of names
docker save registry:3 $(for lab in */compose.yaml; do base_images "${lab%/*}"; done | sort -u) |
  docker exec -i "$name" docker load --quiet >/dev/null
{ git ls-files --cached --others --exclude-standard && find gpu-train/wheels -name '*.whl'; } |
  tar -c --ignore-failed-read -T - 2>/dev/null | docker exec -i "$name" tar -x
inside sh -c 'git init --quiet && git add --all && git -c user.name=labs -c user.email=labs@localhost commit --quiet -m copy'
inside make venv
inside .venv/bin/pytest "$@"
