"""The batch job in containers: whoever owns the folder, with next to no rights, killed in the middle."""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
from docker_cli import Container, docker
from repository import ROOT

LAB = ROOT / "batch-job"
OUTPUTS = ("clean.csv", "rejects.csv", "report.html")
SEED = random.randrange(1 << 32)

Job = Callable[..., subprocess.CompletedProcess[str]]


def locked_down(data: Path | None, uid: int | None = None, **env: str) -> list[str]:
    """Options of `docker run`: nothing is granted but the folder."""
    uid = os.getuid() if uid is None else uid
    return [
        "--user", f"{uid}:{uid}", "--network", "none", "--read-only", "--cap-drop", "ALL",
        "--security-opt", "no-new-privileges:true", "--memory", "512m", "--cpus", "2",
        *(["--mount", f"type=bind,source={data},target=/app/data"] if data else []),
        *(part for name, value in env.items() for part in ("--env", f"{name}={value}")),
    ]  # fmt: skip


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.fixture
def job(image_of: Callable[..., str], run_once: Job) -> Job:
    """`job(folder, uid=0, INCOME_MAX="5")` runs the job on a folder to its end."""

    def start(data: Path | None, uid: int | None = None, **env: str):
        return run_once(image_of("batch-job"), options=locked_down(data, uid, **env))

    return start


@pytest.fixture(scope="session")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three million rows, 60 MB, one in fifty without an income."""
    path = tmp_path_factory.mktemp("large") / "raw.csv"
    rows = "".join(
        f"{18 + i % 63},{'' if i % 50 == 0 else 20_000 + i / 7},{i % 2}\n" for i in range(30_000)
    )
    with path.open("w") as file:
        file.write("age,income,churn\n")
        for _ in range(100):
            file.write(rows)
    return path


def outputs(data: Path) -> dict[str, bytes]:
    return {name: (data / name).read_bytes() for name in OUTPUTS}


def hidden(data: Path) -> list[str]:
    return [path.name for path in data.iterdir() if path.name.startswith(".")]


def test_first_run_makes_the_sample_and_cleans_it(job: Job, data: Path) -> None:
    done = job(data)
    assert done.returncode == 0, done.stderr
    raw, clean, rejects = (pd.read_csv(data / f"{n}.csv") for n in ("raw", "clean", "rejects"))
    assert (len(raw), len(clean), len(rejects)) == (100, 95, 5)
    assert clean.iloc[0].to_list() == [58, 51013.68604233337, 1, "46-60"]
    assert clean.iloc[-1].to_list() == [*raw.iloc[-1], clean.age_bucket.iloc[-1]]
    assert rejects.row.to_list() == [1, 35, 55, 81, 89]
    assert set(rejects.reason) == {"income is missing"}
    assert (data / "report.html").read_text().startswith("<!doctype html>")
    assert "rows in 100 clean 95 rejected 5" in " ".join(done.stdout.split())

    first = outputs(data)
    assert job(data).returncode == 0
    assert outputs(data) == first
    assert hidden(data) == []


def test_a_link_that_leads_nowhere_is_not_the_place_for_the_sample(job: Job, data: Path) -> None:
    (data / "raw.csv").symlink_to("/elsewhere/customers.csv")
    done = job(data)
    assert (done.returncode, done.stderr) == (2, "error: data/raw.csv: no such file or directory\n")
    assert [path.name for path in data.iterdir()] == ["raw.csv"]


@pytest.mark.parametrize("uid", [0, 1001, 65534])
def test_outputs_belong_to_whoever_runs_it(job: Job, data: Path, uid: int) -> None:
    if os.getuid() == 0:
        os.chown(data, uid, uid)
    else:
        data.chmod(0o777)
    done = job(data, uid)
    assert done.returncode == 0, done.stderr
    assert {(data / name).stat().st_uid for name in ("raw.csv", *OUTPUTS)} == {uid}


def test_folder_of_somebody_else_is_one_line_with_the_cure(job: Job, data: Path) -> None:
    for name in ("raw.csv", *OUTPUTS):
        (data / name).write_text("age,income,churn\n20,5,0\n")
    before = outputs(data)
    data.chmod(0o755)
    done = job(data, uid=os.getuid() + 1234)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "is not writable by uid" in line
    assert '--user "$(id -u):$(id -g)"' in line
    assert outputs(data) == before


def test_file_of_somebody_else_is_one_line(job: Job, data: Path) -> None:
    (data / "raw.csv").write_text("age,income,churn\n")
    (data / "raw.csv").chmod(0o600)
    done = job(data, uid=os.getuid() + 1234)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "data/raw.csv is not readable by uid" in line


def test_forgotten_mount_is_one_line(job: Job) -> None:
    done = job(None)
    assert done.returncode == 2
    assert "(No such file or directory): mount its folder" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_bad_setting_is_one_line(job: Job, data: Path) -> None:
    done = job(data, INCOME_MIN="much")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "INCOME_MIN='much'" in line
    assert list(data.iterdir()) == []


def test_output_that_is_mounted_by_itself_is_refused(
    job: Job, data: Path, run_once: Job, image_of
) -> None:
    (data / "clean.csv").write_text("from before")
    mount = f"type=bind,source={data / 'clean.csv'},target=/app/data/clean.csv"
    done = run_once(image_of("batch-job"), options=[*locked_down(data), "--mount", mount])
    assert done.returncode == 2
    assert (
        "data/clean.csv is mounted by itself and cannot be replaced: mount its folder"
        in done.stderr
    )
    assert {path.name for path in data.iterdir()} == {"raw.csv", "clean.csv"}
    assert (data / "clean.csv").read_text() == "from before"


def test_three_million_rows_in_less_than_half_a_gigabyte(
    run: Callable[..., Container], image_of: Callable[..., str], data: Path, large: Path
) -> None:
    shutil.copy(large, data / "raw.csv")
    options = [*locked_down(data), "--memory", "448m", "--memory-swap", "448m"]
    container = run(image_of("batch-job"), options=options)
    assert container.wait(timeout=120) == 0, container.logs()
    assert not container.inspect()["State"]["OOMKilled"]
    said = " ".join(container.logs().split())
    assert "rows in 3,000,000 clean 2,940,000 rejected 60,000 income is missing 60,000" in said


def test_progress_bar_is_for_a_terminal_only(
    run: Callable[..., Container], image_of: Callable[..., str], data: Path
) -> None:
    logs = {}
    for option in ("--tty", "--tty=false"):
        container = run(image_of("batch-job"), options=[*locked_down(data), option])
        assert container.wait() == 0
        logs[option] = container.logs()
    assert re.search(r"cleaning: +\d+%\|", logs["--tty"])
    assert "%|" not in logs["--tty=false"]
    assert "\r" not in logs["--tty=false"]


@pytest.mark.parametrize("signal", ["KILL", "TERM", "INT"])
def test_killed_at_any_moment_leaves_whole_files(
    run: Callable[..., Container],
    image_of: Callable[..., str],
    job: Job,
    data: Path,
    large: Path,
    signal: str,
) -> None:
    assert job(data).returncode == 0
    old = outputs(data)
    shutil.copy(large, data / "raw.csv")
    twin = data.parent / "twin"
    twin.mkdir()
    shutil.copy(large, twin / "raw.csv")
    assert job(twin).returncode == 0
    new = outputs(twin)

    chance = random.Random(SEED)
    for _ in range(5):
        container = run(image_of("batch-job"), options=locked_down(data))
        # Killed once that much is written, or not at all when it ends before.
        written = chance.randrange(80 << 20)
        container.wait_until(partial(has_written, container, data, written))
        docker("kill", "--signal", signal, container.id, check=False)  # it may have ended by now
        code = container.wait()
        assert code in {0, {"KILL": 137, "TERM": 143, "INT": 130}[signal]}, f"seed {SEED}"
        assert outputs(data) in (old, new), f"outputs of two runs, seed {SEED}"
        if signal != "KILL":
            assert hidden(data) == []
            if code:
                assert container.logs().splitlines() == ["stopped: the outputs are as they were"]

    assert job(data).returncode == 0
    assert outputs(data) == new
    assert hidden(data) == []


def has_written(container: Container, data: Path, size: int) -> bool:
    """Whether the job has written so many bytes, or has ended."""
    return not container.is_running() or part_size(data) >= size


def part_size(data: Path) -> int:
    part = data / ".clean.csv.part"
    try:
        return part.stat().st_size
    except FileNotFoundError:
        return -1
