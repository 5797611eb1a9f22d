"""Clean the same files with lab 1's one container, one after the other, and with its cluster of 1, 2 and 4 workers.

    python benchmarks/batch_job_cluster.py

Needs Docker alone. The one container and each worker may use one cpu; all share those of this machine. Files lie in a
folder. Seconds are those of the process of the job, or of the driver, from its start to its end. Beside them
what a file costs before its first row: many files of ten rows. Writes results/batch-job-cluster.json.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from functools import partial
from pathlib import Path

from containers import HERE, ROOT, build, docker, in_turn, program, write

FILES, ROWS = 8, 5_000_000
SMALL_FILES, SMALL_ROWS = 400, 10
WORKERS = (1, 2, 4)
ROUNDS = 2


def compose(folder: Path, *arguments: object) -> str:
    file = folder / "cluster/compose.yaml"
    return docker("compose", "--project-directory", folder, "--file", file, *arguments)


def in_container(image: str, data: Path, *command: object, **env: object) -> str:
    options = [f"--env={name}={value}" for name, value in env.items()]
    return docker(
        "run", "--rm", "--network", "none", "--memory", "1g", "--cpus", "1",
        "--user", f"{os.getuid()}:{os.getgid()}", "--env", "HOME=/tmp", *options,
        "--mount", f"type=bind,source={data},target=/app/data", image, "python", *command,
    )  # fmt: skip


def make_files(image: str, data: Path, name: str, files: int, rows: int) -> None:
    """Write as many files of the same content below data/NAME."""
    in_container(image, data, "-c", program("make_input.py"), rows)
    (data / name).mkdir()
    for number in range(files):
        shutil.copy(data / "raw.csv", data / name / f"{number}.csv")


def one_by_one(image: str, data: Path) -> dict[str, float]:
    """Clean the large files with the lab's job, in one container after another."""
    measured = program("measure.py"), "clean_data.py"
    said = [
        json.loads(in_container(image, data, "-c", *measured, RAW_PATH=f"data/large/{number}.csv"))
        for number in range(FILES)
    ]
    assert not any(run["exit_code"] for run in said), said
    return {"seconds": sum(run["seconds"] for run in said)}


def on_workers(folder: Path, workers: int, source: str) -> dict[str, float]:
    """Clean the files below data/SOURCE on a cluster of so many workers."""
    os.environ |= {"WORKERS": str(workers), "SOURCE": f"data/{source}", "OUT": "data/parts"}
    compose(folder, "up", "--detach", "--wait", "worker")
    measured = program("measure.py"), "cluster/clean_folder.py"
    said = json.loads(compose(folder, "run", "--rm", "driver", "python", "-c", *measured))
    shutil.rmtree(folder / "data/parts")
    assert said["exit_code"] == 0, said
    return {"seconds": said["seconds"]}


def measure(folder: Path, naive: str) -> None:
    data = folder / "data"
    data.mkdir()
    make_files(naive, data, "large", FILES, ROWS)
    make_files(naive, data, "small", SMALL_FILES, SMALL_ROWS)
    megabytes = (data / "large/0.csv").stat().st_size * FILES / 1e6
    versions = {"one container": partial(one_by_one, build("bench-ours-batch-job", folder), data)}
    versions |= {
        f"{n} worker{'s' * (n > 1)}": partial(on_workers, folder, n, "large") for n in WORKERS
    }
    versions |= {"small files": partial(on_workers, folder, 1, "small")}
    runs = in_turn(ROUNDS, versions)
    best = {name: min(run["seconds"] for run in done) for name, done in runs.items()}
    for name, seconds in best.items():
        print(f"{name:<16}{seconds:>8.2f} s")
    write(
        "batch-job-cluster",
        {"files": FILES, "megabytes": megabytes, "small_files": SMALL_FILES, "seconds": best, "runs": runs},
    )  # fmt: skip


def main() -> None:
    naive = build("bench-naive-batch-job", HERE / "naive/batch-job")
    os.environ |= {
        "COMPOSE_PROJECT_NAME": "bench-cluster",
        "DASHBOARD_PORT": "0",
        "HOST_UID": str(os.getuid()),
        "HOST_GID": str(os.getgid()),
    }
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "batch-job"
        shutil.copytree(ROOT / "batch-job", folder, ignore=shutil.ignore_patterns("data"))
        subprocess.run([folder / "cluster/store/make-secrets.sh"], check=True)
        try:
            compose(folder, "build", "scheduler", "worker", "driver")
            measure(folder, naive)
        finally:
            compose(folder, "down", "--volumes", "--remove-orphans", "--rmi=local")


if __name__ == "__main__":
    main()
