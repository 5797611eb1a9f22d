#!/usr/bin/env bash
# Measure every lab against its naive version and write the READMEs' tables; or, with the word "peers", measure labs 1, 3
# and 5 beside other tools and draw how they grow, for docs/performance.md. It leaves no image and no build cache behind.
set -euo pipefail
cd "$(dirname "$0")/.."

DOCKER_GB=30
FILES_GB=8
MEMORY_GB=8

die() {
  echo "bench: $*" >&2
  exit 1
}

loaded() {
  read -r load _ </proc/loadavg
  awk -v load="$load" -v cpus="$(nproc)" 'BEGIN {exit load < cpus / 2}'
}

echo "bench: takes up to an hour of a machine that does nothing else. It needs wrk, $MEMORY_GB GB of memory,"
echo "bench: $DOCKER_GB GB of Docker's disk and $FILES_GB GB where temporary files go"
command -v wrk >/dev/null ||
  die "wrk is missing (Debian, Ubuntu: apt-get install wrk; macOS cannot reach containers directly)"
gb=$(docker run --rm --network none python:3.13-slim df -BG --output=avail / | tail -1 | tr -dc 0-9)
((gb >= DOCKER_GB)) || die "Docker's disk has $gb GB free, not $DOCKER_GB"
gb=$(df -BG --output=avail "${TMPDIR:-/tmp}" | tail -1 | tr -dc 0-9)
((gb >= FILES_GB)) || die "${TMPDIR:-/tmp} has $gb GB free, not $FILES_GB"
gb=$(($(docker info --format '{{.MemTotal}}') / 1000 ** 3))
((gb >= MEMORY_GB)) || die "Docker has $gb GB of memory, not $MEMORY_GB"
# What ran before is in the load of the last minute for a while.
deadline=$((SECONDS + 180))
while loaded; do
  ((SECONDS < deadline)) || die "something else runs here: the load is $load, not below half of the $(nproc) cpus"
  sleep 5
done

cached() {
  docker buildx du --verbose | awk '/^ID:/ {print $2}' | sort
}

nameless() {
  docker images --quiet --no-trunc --filter dangling=true | sort
}

clean_up() {
  docker images --format '{{.Repository}}:{{.Tag}}' 'bench-*' | xargs -r docker rmi --force >/dev/null || true
  comm -13 <(echo "$images") <(nameless) | xargs -r docker rmi >/dev/null || true
  docker builder prune --force --filter "id=^($(comm -13 <(echo "$cache") <(cached) | paste -sd '|' -))$" >/dev/null
}

cache=$(cached)
images=$(nameless)
trap clean_up EXIT

# What every result says about itself, also where git and docker cannot be asked.
COMMIT=$(git rev-parse --short HEAD)
git diff --quiet HEAD -- . ':!benchmarks/results' ':!docs' ':!*.md' || COMMIT+=-dirty
ENGINE=$(docker version --format '{{.Server.Version}}')
export COMMIT ENGINE

# in_image IMAGE COMMAND...: with this repository, of which benchmarks/ and docs/ can be written.
in_image() {
  docker run --rm --cpus 2 --memory 4g --network none --user "$(id -u):$(id -g)" --env COMMIT --env ENGINE --env HOME=/tmp \
    --volume "$PWD:/repo:ro" --volume "$PWD/benchmarks:/repo/benchmarks" --volume "$PWD/docs:/repo/docs" --workdir /repo "$@"
}

if [ "${1:-}" = peers ]; then
  python3 benchmarks/peers.py
  python3 benchmarks/growth.py
  docker build --quiet --tag bench-ds-lab ds-lab
  in_image bench-ds-lab python benchmarks/plots.py
else
  python3 benchmarks/builds.py
  python3 benchmarks/batch_job.py
  python3 benchmarks/batch_job_cluster.py
  python3 benchmarks/ds_lab.py
  python3 benchmarks/serve.py
  python3 benchmarks/mlflow_flask.py
  # Both loops in the lab's own image: the same PyTorch.
  docker build --quiet --target cpu --tag bench-gpu-train gpu-train
  in_image bench-gpu-train python benchmarks/gpu_train.py --samples 2048 --batch-size 256 --epochs 3
fi
python3 benchmarks/table.py
