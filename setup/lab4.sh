#!/usr/bin/env bash
# Says on standard error, in one line, which device `make lab4` trains on and why. On standard output: the
# compose files to use, nothing for the CPU.
set -euo pipefail

cd "$(dirname "$0")/.."
# shellcheck source=lib.sh
. setup/lib.sh
# shellcheck source=engine.sh
. setup/engine.sh
# shellcheck source=images.sh
. setup/images.sh

cpu() {
  say "lab4: training on the CPU: $*" >&2
  exit
}

gpu_image() { awk 'toupper($1) == "FROM" && $NF == "gpu" { print $2 }' gpu-train/Dockerfile; }

[ "${DEVICE:-auto}" != cpu ] || cpu "DEVICE=cpu"

if ! engine_knows_gpus; then
  if [ -e /dev/nvidia0 ] || [ -e /dev/dxg ]; then
    cpu "no NVIDIA runtime in 'docker info', although this machine has a GPU: gpu-train/README.md tells how to get it"
  fi
  cpu "no NVIDIA runtime in 'docker info'"
fi

# The engine may know the runtime and still have no GPU: only a container can tell. (ls fails when one of its
# names is missing, and one always is.)
if ! answer=$(docker run --rm --gpus all --network none --entrypoint sh python:3.11-slim \
  -c 'ls -d /dev/nvidia[0-9]* /dev/dxg 2>/dev/null | grep .' 2>&1); then
  cpu "the engine has the NVIDIA runtime but hands over no GPU${answer:+: $(say "$answer" | head -n 1)}"
fi

image=$(gpu_image)
if ! is_present "$image"; then
  say "setup: pulling $image, several gigabytes" >&2
  (pull "$image") >&2 || cpu "there is a GPU, but no registry hands out $image"
fi

say "lab4: training on the GPU: Docker hands over $(say "$answer" | paste -sd ' ' -)" >&2
say "-f gpu-train/compose.yaml -f gpu-train/compose.gpu.yaml"
