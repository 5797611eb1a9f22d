"""Half a gigabyte is enough for the batch job, whatever is in the file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from docker_cli import Container

MEGABYTE = 1 << 20
HEADER = b"age,income,churn\n"

# What a file is full of, and how many of its rows are clean.
FILES = {
    "good": (b"20,5000.25,0\n", 1),
    "all rejected": (b"20,much,0\n", 0),
    "all quoted": (b'"20","5000.25","0"\n', 1),
    "all blank": (b"\n", 0),
    "long rows": (b"20,5000.25,0," + b"x" * MEGABYTE + b"\n", 0),
    "stray quotes": (b'20,5"0,0\n', 0),
}


def write_rows(path: Path, row: bytes, size: int) -> int:
    """Fill a file with one row; return how many that are."""
    rows = max(1, size // len(row))
    at_once = max(1, MEGABYTE // len(row))
    with path.open("wb") as file:
        file.write(HEADER)
        for _ in range(rows // at_once):
            file.write(row * at_once)
        file.write(row * (rows % at_once))
    return rows


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "data"
    folder.mkdir()
    yield folder
    for path in folder.iterdir():
        path.unlink()


@pytest.fixture
def clean(run: Callable[..., Container], image_of: Callable[..., str], data: Path):
    """`clean("512m")` runs the job on the folder with that much memory and no swap; returns what it said."""

    def start(memory: str) -> str:
        container = run(
            image_of("batch-job"),
            options=[
                "--user", f"{os.getuid()}:{os.getgid()}", "--memory", memory, "--memory-swap", memory,
                "--cpus", "2", "--mount", f"type=bind,source={data},target=/app/data",
            ],
        )  # fmt: skip
        code = container.wait(timeout=300)
        assert not container.inspect()["State"]["OOMKilled"], container.logs()
        assert code == 0, container.logs()
        return " ".join(container.logs().split())

    return start


@pytest.mark.parametrize("kind", FILES)
def test_half_a_gigabyte_is_enough(kind: str, clean: Callable[[str], str], data: Path) -> None:
    row, good = FILES[kind]
    rows = write_rows(data / "raw.csv", row, (4 if len(row) < 4 else 48) * MEGABYTE)
    said = clean("512m")
    assert f"rows in {rows:,} clean {rows * good:,} rejected {rows * (1 - good):,}" in said


def test_one_field_of_eight_megabytes(clean: Callable[[str], str], data: Path) -> None:
    field = b"x" * (8 * MEGABYTE - 100)
    (data / "raw.csv").write_bytes(
        b"age,income,churn,note\n20,5,0,a\n20,5,0," + field + b"\n20,5,0,b\n"
    )
    assert "rows in 3 clean 3 rejected 0" in clean("512m")
    assert (data / "clean.csv").stat().st_size > len(field)


def test_millions_of_rows_that_are_all_too_short_are_not_kept_in_memory(
    clean: Callable[[str], str], data: Path
) -> None:
    """Kept, they alone would take 600 MB."""
    rows = write_rows(data / "raw.csv", b"1\n", 6 * MEGABYTE)
    assert f"rows in {rows:,} clean 0 rejected {rows:,} too few fields {rows:,}" in clean("448m")
