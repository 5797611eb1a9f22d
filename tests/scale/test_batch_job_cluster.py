"""Lab 1 on a Dask cluster: the parts are what one container makes, whatever dies meanwhile."""

from __future__ import annotations

import json
import random
import re
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from cluster_fixtures import FILES, POISON, Cluster, Parts, parts_in
from docker_cli import Container, docker, wait_until

pytest_plugins = ["cluster_fixtures"]


@pytest.fixture(autouse=True)
def nothing_but_raw(cluster: Cluster) -> None:
    """A test that is tried again meets nothing of its first try."""
    for folder in cluster.data.iterdir():
        if folder.is_dir() and folder.name not in ("raw", "expected"):
            shutil.rmtree(folder)


def assert_whole(cluster: Cluster, out: str, expected: Parts) -> None:
    folder = cluster.data / out
    assert parts_in(folder).keys() == expected.keys()
    assert parts_in(folder) == expected
    manifest = json.loads((folder / "manifest.json").read_text())
    assert len(manifest["files"]) == FILES
    rows = manifest["rows"]
    assert rows["rows in"] == rows["clean"] + rows["rejected"]
    assert not list(folder.glob("_unfinished/*"))


def signal_inside(container: Container, signal: str) -> None:
    """Send a signal to the process, but not to the init above it. Ended so, it is started again by the engine."""
    container.exec("sh", "-c", f"kill -{signal} -1", check=False)


def times(folder: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in folder.glob("_records/**/*.json")}


def test_parts_are_what_one_container_makes_of_the_files(cluster: Cluster, expected: Parts) -> None:
    said = cluster.clean("raw", "plain")
    assert_whole(cluster, "plain", expected)
    assert f"{FILES} parts and manifest.json" in said
    assert re.search(r"^rows in +1,440,000$", said, re.MULTILINE), said

    # Again, with one file less, one changed and one that is new.
    raw = shutil.copytree(cluster.data / "raw", cluster.data / "other")
    cluster.clean("other", "kept")
    before = times(cluster.data / "kept")
    (raw / "00.csv").unlink()
    shutil.copy(raw / "02.csv", raw / "01.csv")
    shutil.copy(raw / "03.csv", raw / "new.csv")
    cluster.clean("other", "kept")
    after = times(cluster.data / "kept")
    changed = {Path(path).stem for path, time in after.items() if before.get(path) != time}
    assert changed == {"01", "new"}
    parts = parts_in(cluster.data / "kept")
    assert "clean/00.csv" not in parts
    assert parts["rejects/01.csv"] == parts["rejects/02.csv"] == expected["rejects/02.csv"]

    # Another setting makes all parts anew.
    cluster.clean("other", "kept", INCOME_MAX="50000")
    assert not set(after.items()) & set(times(cluster.data / "kept").items())
    assert max(map(income, parts_in(cluster.data / "kept")["clean/02.csv"].splitlines()[1:])) == 5e4


def income(line: bytes) -> float:
    return float(line.rsplit(b",", 3)[1]) if line.count(b",") >= 3 else 0


def test_the_store_keeps_what_it_is_given_and_gives_the_same_parts(
    cluster: Cluster, expected: Parts
) -> None:
    def copy(*places: str) -> None:
        program = f"from pyarrow.fs import copy_files as copy; copy{places!r}"
        cluster.project("run", "--rm", "driver", "python", "-c", program)

    copy("/app/data/raw", "s3://labs/raw")
    # It comes back with another address, and has all that it was given.
    cluster.project("up", "--force-recreate", "--detach", "--wait", "store")
    cluster.clean("s3://labs/raw", "s3://labs/parts")
    copy("s3://labs/parts", "/app/data/from-store")
    assert_whole(cluster, "from-store", expected)

    cluster.clean("s3://labs/raw", "parquet", FORMAT="parquet")
    for number in (0, FILES - 3):
        table = pyarrow.parquet.read_table(cluster.data / f"parquet/clean/{number:02}.parquet")
        names = ["name", "age", "income", "churn", "age_bucket"]
        kinds = [pa.string(), pa.int64(), pa.float64(), pa.int64(), pa.string()]
        assert table.schema == pa.schema(list(zip(names, kinds, strict=True)))
        assert table == pyarrow.csv.read_csv(
            pa.BufferReader(expected[f"clean/{number:02}.csv"]),
            parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=table.schema, strings_can_be_null=True, null_values=[""]
            ),
        )


def test_the_store_takes_files_at_once_that_are_more_than_its_memory(cluster: Cluster) -> None:
    large = cluster.data / "large"
    large.mkdir()
    for number in range(8):
        (large / f"{number}.csv").write_bytes(random.randbytes(60_000_000))
    program = (
        "from pyarrow.fs import copy_files as copy; copy('/app/data/large', 's3://labs/large')"
    )
    cluster.project("run", "--rm", "driver", "python", "-c", program, timeout=400)
    # Without GOMEMLIMIT in start.sh it keeps all that it was given, and now and then does not answer for minutes.
    store = cluster.project.container("store")
    held = docker("stats", "--no-stream", "--format={{.MemPerc}}", store.id).stdout
    assert float(held.strip().rstrip("%")) < 80, held
    store.wait_healthy()
    shutil.rmtree(large)


@pytest.mark.parametrize("victim", ["worker", "scheduler"])
def test_what_is_killed_comes_back_and_nothing_is_lost(
    cluster: Cluster, expected: Parts, victim: str
) -> None:
    doomed = cluster.project.containers(victim)[0]
    driver = cluster.start("raw", f"without-{victim}")
    cluster.wait_made(f"without-{victim}", 3)
    signal_inside(doomed, "KILL")
    assert driver.wait(300) == 0, cluster.said(driver)
    assert_whole(cluster, f"without-{victim}", expected)
    said = driver.logs()
    assert ("the scheduler is gone" in said) is (victim == "scheduler")
    assert "Traceback" not in said
    for container in cluster.project.containers("worker"):
        container.wait_healthy()


def test_a_driver_that_was_killed_goes_on_where_it_was(cluster: Cluster, expected: Parts) -> None:
    driver = cluster.start("raw", "again")
    cluster.wait_made("again", 3)
    before = times(cluster.data / "again")
    driver.kill()
    assert not (cluster.data / "again/manifest.json").exists()
    cluster.clean("raw", "again")
    assert_whole(cluster, "again", expected)
    after = times(cluster.data / "again")
    assert before.items() <= after.items()


def test_a_worker_that_hangs_loses_its_file_to_another(cluster: Cluster, expected: Parts) -> None:

    def removed() -> int:
        return cluster.project.logs().count("Worker failed to heartbeat")

    before = removed()
    frozen = cluster.project.containers("worker")[0]
    driver = cluster.start("raw", "frozen")
    cluster.wait_made("frozen", 1)
    signal_inside(frozen, "STOP")
    try:
        assert driver.wait(300) == 0, cluster.said(driver)
    finally:
        signal_inside(frozen, "CONT")
    assert_whole(cluster, "frozen", expected)
    # It may have gone on with what it had: that changes nothing, and it works again.
    wait_until(lambda: removed() > before, describe=cluster.project.logs)
    frozen.wait_healthy(120)
    assert parts_in(cluster.data / "frozen") == expected


def test_a_file_that_kills_its_workers_is_named_and_the_others_are_done(cluster: Cluster) -> None:
    raw = cluster.data / "poisoned"
    raw.mkdir()
    for name in ("00.csv", "01.csv", "02.csv"):
        shutil.copy(cluster.data / "raw" / name, raw)
    shutil.copy(raw / "00.csv", raw / POISON)
    said = cluster.refuse("poisoned", "unpoisoned").splitlines()
    assert len(said) == 2, said
    first, last = said
    assert first.startswith(f"error: data/poisoned/{POISON}: every worker that took it died")
    assert last.startswith("error: 3 of 4 files are clean, no manifest.json is written")
    assert cluster.made("unpoisoned") == ["00", "01", "02"]

    (raw / POISON).unlink()
    cluster.clean("poisoned", "unpoisoned")
    assert (cluster.data / "unpoisoned/manifest.json").exists()


def test_a_file_that_cannot_be_read_is_named_and_nothing_half_written(cluster: Cluster) -> None:
    raw = cluster.data / "bad"
    raw.mkdir()
    shutil.copy(cluster.data / "raw/00.csv", raw)
    good = (raw / "00.csv").read_text()
    (raw / "quote.csv").write_text(good + '"never closed')
    (raw / "columns.csv").write_text("age,churn\n20,1\n")
    lines = sorted(cluster.refuse("bad", "unbad").splitlines())
    assert lines[0].startswith("error: 1 of 3 files are clean")
    assert lines[1].startswith("error: data/bad/columns.csv: no column income")
    assert lines[2].startswith("error: data/bad/quote.csv: row 60001 has a quote that never closes")
    assert sorted(parts_in(cluster.data / "unbad")) == ["clean/00.csv", "rejects/00.csv"]
    assert not list((cluster.data / "unbad").glob("_unfinished/*"))


WRONG = {"AWS_ACCESS_KEY_ID": "labs", "AWS_SECRET_ACCESS_KEY": "x"}
REFUSED: list[tuple[str, str, dict[str, str], str]] = [
    ("s3://none/raw", "refused", {}, "in bucket 'none': AWS Error NO_SUCH_BUCKET"),
    ("raw", "s3://none/clean", {}, "in bucket 'none': AWS Error NO_SUCH_BUCKET"),
    ("s3://labs/raw", "refused", WRONG, "SIGNATURE_DOES_NOT_MATCH"),
    ("s3://labs/raw", "refused", {**WRONG, "AWS_ACCESS_KEY_ID": "x"}, "INVALID_ACCESS_KEY_ID"),
    ("https://example.com/raw", "refused", {}, "Unrecognized filesystem type"),
    ("empty", "refused", {}, "data/empty has no file that ends in .csv or .csv.gz"),
    ("raw", "raw/out", {}, "OUT='data/raw/out' is not accepted: one is in the other"),
    (
        "raw",
        "refused",
        {"FORMAT": "xlsx"},
        "FORMAT='xlsx' is not accepted: give one of csv, parquet",
    ),
    ("raw", "refused", {"INCOME_MIN": "5", "INCOME_MAX": "1"}, "INCOME_MIN=5 is not accepted"),
]


@pytest.mark.parametrize(("source", "out", "env", "why"), REFUSED)
def test_bad_input_is_one_line(
    cluster: Cluster, source: str, out: str, env: dict[str, str], why: str
) -> None:
    (line,) = cluster.refuse(source, out, **env).splitlines()
    assert line.startswith("error: ")
    assert why in line
    assert not (cluster.data / out).exists()


def test_a_cluster_without_scheduler_or_workers_is_one_line(cluster: Cluster) -> None:
    workers = [worker.id for worker in cluster.project.containers("worker")]
    docker("stop", *workers)
    try:
        alone = cluster.start("raw", "nobody")
        nowhere = cluster.start("raw", "nobody", SCHEDULER="tcp://nowhere:8786")
        assert (alone.wait(120), nowhere.wait(120)) == (2, 2)
    finally:
        docker("start", *workers)
    said = [alone.logs(), nowhere.logs()]
    assert said[0] == "error: tcp://scheduler:8786 has no worker after 60 s: start some\n"
    assert said[1] == "error: no scheduler answers at tcp://nowhere:8786: start it\n"
    for worker in cluster.project.containers("worker"):
        worker.wait_healthy()


def test_a_worker_with_other_code_is_one_line(cluster: Cluster) -> None:
    rules = cluster.project.folder / "rules.py"
    before = rules.read_text()
    rules.write_text(before.replace("80}", "90}"))
    try:
        cluster.project("build", "driver")
        (line,) = cluster.refuse("raw", "other-code").splitlines()
    finally:
        rules.write_text(before)
        cluster.project("build", "driver")
    assert "has another version of the code than the driver: build the images" in line
    assert not (cluster.data / "other-code").exists()
