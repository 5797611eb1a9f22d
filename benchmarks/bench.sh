#!/usr/bin/env bash
# Measure every lab against its naive version on this machine, and write the READMEs' tables. Takes most of an hour, on a
# machine that does nothing else. Needs wrk (Debian: apt-get install wrk) and 30 GB of disk.
set -euo pipefail

cd "$(dirname "$0")/.."
command -v wrk >/dev/null || {
  echo "bench: wrk is missing (Debian, Ubuntu: apt-get install wrk; macOS cannot reach containers directly)" >&2
  exit 1
}

python3 benchmarks/builds.py
python3 benchmarks/batch_job.py
python3 benchmarks/batch_job_cluster.py
python3 benchmarks/ds_lab.py
python3 benchmarks/serve.py
python3 benchmarks/mlflow_flask.py
# Both loops in the lab's own image: the same PyTorch. Only results/ is written.
docker build --quiet --target cpu --tag bench-gpu-train gpu-train
docker run --rm --cpus 2 --memory 4g --network none --user "$(id -u):$(id -g)" \
  --volume "$PWD/benchmarks:/repo/benchmarks" --volume "$PWD/gpu-train:/repo/gpu-train:ro" --workdir /repo \
  bench-gpu-train python benchmarks/gpu_train.py --samples 2048 --batch-size 256 --epochs 3
python3 benchmarks/table.py
