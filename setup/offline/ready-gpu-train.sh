#!/usr/bin/env bash
# Where PyTorch's package index does not answer, puts its CPU wheel into gpu-train/wheels, taken the way this
# machine's own pip takes it. Looks only on machines that no registry answers either, and says nothing
# when there is nothing to do.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=../lib.sh
. "$here/../lib.sh"
# shellcheck source=../images.sh
. "$here/../images.sh"

lab="$here/../../gpu-train"
INDEX=https://download.pytorch.org/whl/cpu

has_wheel() { ls "$lab"/wheels/*.whl >/dev/null 2>&1; }
index_answers() { curl --silent --fail --head --max-time 10 --output /dev/null "$INDEX/torch/"; }

download_wheel() {
  local machine
  case "$(uname -m)" in arm64) machine=aarch64 ;; *) machine=$(uname -m) ;; esac
  # pip checks the hash in torch-cpu.txt.
  python3 -m pip download --quiet --no-deps --only-binary=:all: --python-version 3.11 --implementation cp \
    --abi cp311 --platform "manylinux_2_28_$machine" --dest "$1" --requirement "$lab/torch-cpu.txt"
}

has_wheel && exit
is_standin python:3.11-slim || exit 0
index_answers && exit

say "setup: PyTorch's package index does not answer: asking this machine's pip for its CPU wheel"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
download_wheel "$work" 2>"$work/log" || {
  tail -n 3 "$work/log" >&2
  die "no PyTorch CPU wheel was found (the last lines of pip are above); put the one that gpu-train/torch-cpu.txt names into gpu-train/wheels"
}
mv "$work"/*.whl "$lab/wheels/"
