"""Train lab 4's network with the naive loop and with the lab, in turn, on this machine's accelerator or CPU.

    python benchmarks/gpu_train.py                                        200,000 images of 3x64x64
    python benchmarks/gpu_train.py --samples 4096 --batch-size 256        what a CPU can do in a minute

Runs the programs directly, without Docker: it needs a Python with torch, numpy and tqdm. Each epoch is timed by the
program itself; the first one, which warms up, does not count. Writes results/gpu-train.json.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
LAB = HERE.parent / "gpu-train"
RESULTS = HERE / "results" / "gpu-train.json"

# The lab's own main(), with its numbers printed in place of exporting a model of noise.
OURS = """
import json, sys, train
def report(trainer):
    speeds = [row["samples_per_second"] for row in trainer.progress.history]
    print("RESULT" + json.dumps(trainer.metrics() | {"samples_per_second": speeds}))
train.report = report
sys.exit(train.main())
"""


def call(command: list[str], folder: Path, env: dict[str, str]) -> str:
    """Run in `folder` and return standard output."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **env},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{command[:2]} ended with exit code {done.returncode}")
    return done.stdout


def naive(samples: int, batch_size: int, epochs: int) -> dict:
    script = HERE / "naive" / "gpu-train" / "train.py"
    words = [str(number) for number in (samples, batch_size, epochs)]
    return json.loads(call([sys.executable, str(script), *words], HERE, {}))


def ours(samples: int, batch_size: int, epochs: int, compiled: bool) -> dict:
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
        said = call([sys.executable, "-c", OURS], Path(folder), settings)
    return json.loads(said.split("RESULT", 1)[1])


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
    speeds: dict[str, list[float]] = {"naive": [], "ours": [], "ours, COMPILE=1": []}
    last: dict[str, dict] = {}
    for _ in range(chosen.runs):
        for name, found in speeds.items():
            done = naive(*size) if name == "naive" else ours(*size, compiled="COMPILE" in name)
            found.append(statistics.median(done["samples_per_second"][1:]))
            last[name] = done

    device = last["naive"]["device_name"]
    print(f"{chosen.samples:,} images of 3x64x64, batches of {chosen.batch_size}, on {device}\n")
    print(f"{'':<18}{'samples/s':>12}{'peak MiB':>10}{'times as fast':>15}")
    baseline = statistics.median(speeds["naive"])
    for name, found in speeds.items():
        speed, peak = statistics.median(found), last[name]["peak_memory_mib"]
        print(f"{name:<18}{speed:>12,.0f}{peak or 0:>10,.0f}{speed / baseline:>15.1f}")

    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    kept[last["ours"]["device_name"]] = {
        **vars(chosen),
        "precision": last["ours"]["precision"],
        "samples_per_second": speeds,
        "peak_memory_mib": {name: found["peak_memory_mib"] for name, found in last.items()},
        "ratio": statistics.median(speeds["ours"]) / baseline,
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(kept, indent=2) + "\n")


if __name__ == "__main__":
    main()
