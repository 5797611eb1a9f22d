"""Clean the same files with lab 1's one container and with its cluster of 1, 2 and 4 workers, from an S3 store to that store.

    python benchmarks/cluster.py

Needs Docker alone. Each worker, the scheduler, the store and the one container may use one cpu and share those of this machine.
Seconds are those of the process of the driver, or of the job, from its start to its end. Beside them what a file costs
before its first row: a thousand files of ten rows, and as many tasks of Dask's that do nothing.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import tempfile
from functools import partial
from pathlib import Path

from containers import HERE, ROOT, build, docker, in_turn, program, write

FILES, ROWS = 8, 2_500_000
SMALL_FILES, SMALL_ROWS = 1000, 10
WORKERS = (1, 2, 4)
TASKS = 10_000


def compose(folder: Path, *arguments: object) -> str:
    file = folder / "cluster/compose.yaml"
    return docker("compose", "--project-directory", folder, "--file", file, *arguments)


def in_driver(folder: Path, *python: object, **env: str) -> str:
    """Run python in a container of the driver; return what it printed."""
    options = [word for name, value in env.items() for word in ("--env", f"{name}={value}")]
    return compose(folder, "run", "--rm", *options, "driver", "python", *python)


def start_workers(folder: Path, number: int) -> None:
    os.environ["WORKERS"] = str(number)
    compose(folder, "up", "--detach", "--wait", "worker", "store")


def make_files(image: str, folder: Path) -> None:
    """Put the same content into `FILES` large files and `SMALL_FILES` small ones, here and in the store."""
    for name, files, rows in (("large", FILES, ROWS), ("small", SMALL_FILES, SMALL_ROWS)):
        docker(
            "run", "--rm", "--user", f"{os.getuid()}:{os.getgid()}", "--env", "HOME=/tmp",
            "--mount", f"type=bind,source={folder}/data,target=/app/data",
            image, "python", "-c", program("make_input.py"), rows,
        )  # fmt: skip
        (folder / "data" / name).mkdir()
        for number in range(files):
            shutil.copy(folder / "data/raw.csv", folder / f"data/{name}/{number}.csv")
        copy = f"from pyarrow.fs import copy_files as c; c('/app/data/{name}', 's3://labs/{name}')"
        in_driver(folder, "-c", copy)


def clean(folder: Path, workers: int, source: str) -> dict[str, float]:
    start_workers(folder, workers)
    script = "cluster/clean_folder.py"
    places = {"SOURCE": f"s3://labs/{source}", "OUT": f"s3://labs/{source}-clean"}
    said = json.loads(in_driver(folder, "-c", program("measure.py"), script, **places))
    remove = (
        f"from pyarrow.fs import S3FileSystem; S3FileSystem().delete_dir('labs/{source}-clean')"
    )
    in_driver(folder, "-c", remove)
    assert said["exit_code"] == 0, said
    return said


def clean_one_by_one(folder: Path) -> dict[str, float]:
    """Clean the large files with the lab's job, in one container after another, from a folder to a folder."""
    total = 0.0
    for number in range(FILES):
        raw = {"RAW_PATH": f"data/large/{number}.csv"}
        said = json.loads(in_driver(folder, "-c", program("measure.py"), "clean_data.py", **raw))
        assert said["exit_code"] == 0, said
        total += said["seconds"]
    return {"seconds": total}


def best(runs: list[dict[str, float]]) -> float:
    return min(run["seconds"] for run in runs)


def main() -> None:
    naive = build("bench-naive-batch-job", HERE / "naive/batch-job")
    os.environ |= {
        "COMPOSE_PROJECT_NAME": "bench-cluster",
        "DASHBOARD_PORT": "0",
        "HOST_UID": str(os.getuid()),
        "HOST_GID": str(os.getgid()),
        "WORKERS": "1",
    }
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "batch-job"
        shutil.copytree(ROOT / "batch-job", folder, ignore=shutil.ignore_patterns("data"))
        (folder / "data").mkdir()
        try:
            run(folder, naive)
        finally:
            compose(folder, "down", "--volumes", "--remove-orphans", "--rmi=local")


def run(folder: Path, naive: str) -> None:
    subprocess.run([folder / "cluster/store/make-secrets.sh"], check=True)
    compose(folder, "build")
    start_workers(folder, 1)
    make_files(naive, folder)
    size = (folder / "data/large/0.csv").stat().st_size

    versions = {"one container": partial(clean_one_by_one, folder)} | {
        f"{number} workers": partial(clean, folder, number, "large") for number in WORKERS
    }
    runs = in_turn(3, versions)
    small = in_turn(3, {"small": partial(clean, folder, 2, "small")})["small"]
    tasks = [float(in_driver(folder, "-c", program("no_op_tasks.py"), TASKS)) for _ in range(3)]
    seconds = {name: best(done) for name, done in runs.items()}
    overhead = {
        "ms_per_small_file": best(small) / SMALL_FILES * 1e3,
        "ms_per_task": statistics.median(tasks),
    }
    for name, value in (seconds | overhead).items():
        print(f"{name:<20}{value:>10.2f}")
    write(
        "cluster",
        {"files": FILES, "rows": ROWS, "bytes": size, "seconds": seconds, **overhead, "runs": runs},
    )


if __name__ == "__main__":
    main()
