"""Train lab 4's network with the naive loop and with the lab, in turn, on this machine's accelerator or CPU.

    python benchmarks/gpu_train.py                                        200,000 images of 3x64x64, on a GPU
    python benchmarks/gpu_train.py --samples 2048 --batch-size 256        what a CPU can do in a minute

Runs the programs directly, without Docker: it needs a Python with torch, numpy and tqdm (`make bench` takes the one in
the lab's image). Each epoch is timed by the program itself; the first one, which warms up, does not count. How soon it
is ready is the time of a whole run on two batches. Writes results/gpu-train-cpu.json or
results/gpu-train-cuda.json.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from containers import HERE, ROOT, medians, write

LAB = ROOT / "gpu-train"


def call(command: list[str], folder: Path, env: dict[str, str]) -> tuple[str, dict[str, float]]:
    """Run in `folder`; return standard output, the most memory it had in MiB, and its seconds."""
    started = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=folder, env={**os.environ, **env}, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    said = process.stdout.read()
    _pid, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{command[:2]} ended with exit code {os.waitstatus_to_exitcode(status)}")
    return said, {"peak_mib": usage.ru_maxrss / 1024, "seconds": time.perf_counter() - started}


def naive(samples: int, batch_size: int, epochs: int) -> dict:
    script = HERE / "naive" / "gpu-train" / "train.py"
    words = [str(number) for number in (samples, batch_size, epochs)]
    said, used = call([sys.executable, str(script), *words], HERE, {})
    return {**json.loads(said), **used}


def ours(samples: int, batch_size: int, epochs: int, compiled: bool = False) -> dict:
    settings = {
        "DATA_PATH": f"synthetic:{samples}",
        "BATCH_SIZE": str(batch_size),
        "EPOCHS": str(epochs),
        "COMPILE": str(int(compiled)),
        "PYTHONPATH": str(LAB),
        "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
    }
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "outputs").mkdir()
        script = HERE / "inside" / "train_and_print.py"
        said, used = call([sys.executable, str(script)], Path(folder), settings)
    return {**json.loads(said.split("RESULT", 1)[1]), **used}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=200_000)
    parser.add_argument("--batch-size", type=int, default=512)
    parser.add_argument("--epochs", type=int, default=4, help="of each run (default: 4)")
    parser.add_argument("--runs", type=int, default=3, help="of each, in turn (default: 3)")
    chosen = parser.parse_args()
    if chosen.epochs < 2:
        parser.error("--epochs: 2 or more, the first one does not count")

    size = (chosen.samples, chosen.batch_size, chosen.epochs)
    smallest = (2 * chosen.batch_size, chosen.batch_size, 1)
    versions = {"naive": naive, "ours": ours}
    if torch.cuda.is_available():  # the image for the CPU has no compiler
        versions["compiled"] = functools.partial(ours, compiled=True)
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in versions}
    for _ in range(chosen.runs):
        for name, measure in versions.items():
            done = measure(*size)
            speed = statistics.median(done["samples_per_second"][1:])
            ready = measure(*smallest)["seconds"]
            runs[name].append(
                {"samples_per_second": speed, "peak_mib": memory(done), "ready_s": ready}
            )
            device = done["device_name"]

    table = medians(runs)
    print(f"{chosen.samples:,} images of 3x64x64, batches of {chosen.batch_size}, on {device}\n")
    for name, row in table.items():
        times = row["samples_per_second"] / table["naive"]["samples_per_second"]
        speed, peak, ready = row["samples_per_second"], row["peak_mib"], row["ready_s"]
        print(f"{name:<10}{speed:>10,.0f} samples/s{times:>6.1f} x{peak:>8,.0f} MiB{ready:>7.1f} s")
    kind = "cuda" if torch.cuda.is_available() else "cpu"
    write(f"gpu-train-{kind}", {"device": device, **vars(chosen), **table, "all_runs": runs})


def memory(done: dict) -> float:
    """On a GPU its own memory counts, else that of the process."""
    return done.get("peak_memory_mib") or done["peak_mib"]


if __name__ == "__main__":
    main()
