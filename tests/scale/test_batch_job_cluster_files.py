"""Lab 1's files on a cluster, in this process: one part made twice at once, or interrupted, and files in each other's way."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from cleaner.reading import FileError
from cleaner.settings import SettingError
from cluster import part
from cluster.files import UNFINISHED, File, StoredFile, list_csv, open_place, whole_file
from cluster.part import CODE, Job, clean_file, code_version
from cluster.settings import read_settings
from repository import copy_of_git

ROWS = "age,income,churn\n" + "".join(f"{20 + i % 40},{i}.5,{i % 3}\n" for i in range(100_000))


def a_job(folder: Path, income_max: float = 200_000) -> tuple[Job, File]:
    (folder / "raw").mkdir(exist_ok=True)
    (folder / "raw/a.csv").write_text(ROWS)
    (file,) = list_csv(f"{folder}/raw")
    return Job(f"{folder}/raw", f"{folder}/out", "csv", 0, income_max, CODE), file


def parts(folder: Path) -> dict[str, bytes]:
    files = (path for path in (folder / "out").rglob("*") if path.is_file())
    return {str(path.relative_to(folder / "out")): path.read_bytes() for path in files}


def test_a_task_that_runs_twice_at_once_makes_one_part(tmp_path: Path) -> None:
    job, file = a_job(tmp_path)
    clean_file(job, file)
    once = parts(tmp_path)
    assert once.keys() == {"clean/a.csv", "rejects/a.csv", "_records/a.json"}
    with ThreadPoolExecutor(8) as pool:
        records = list(pool.map(clean_file, [job] * 8, [file] * 8))
    assert records == records[:1] * 8
    assert parts(tmp_path) == once


def test_a_part_that_is_interrupted_has_no_record_not_even_an_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clean_file(*a_job(tmp_path))

    @contextmanager
    def die_before_the_record(place, name):
        if name.endswith(".json"):
            raise KeyboardInterrupt
        with whole_file(place, name) as file:
            yield file

    monkeypatch.setattr(part, "whole_file", die_before_the_record)
    with pytest.raises(KeyboardInterrupt):
        clean_file(*a_job(tmp_path, income_max=5))
    assert parts(tmp_path).keys() == {"clean/a.csv", "rejects/a.csv"}


def test_a_part_in_another_format_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    job, file = a_job(tmp_path)
    clean_file(job, file)
    clean_file(job._replace(format="parquet"), file)
    assert parts(tmp_path).keys() == {"clean/a.parquet", "rejects/a.csv", "_records/a.json"}


def test_a_file_that_turns_bad_leaves_its_part_and_its_record(tmp_path: Path) -> None:
    clean_file(*a_job(tmp_path))
    before = parts(tmp_path)
    job, file = a_job(tmp_path)
    (tmp_path / "raw/a.csv").write_text(ROWS + '"never closed')
    with pytest.raises(FileError, match=r"raw/a\.csv: row 100001 has a quote that never closes"):
        clean_file(job, file)
    assert parts(tmp_path) == before


def test_two_files_that_would_be_one_part_are_refused(tmp_path: Path) -> None:
    for name in ("a.csv", "a.csv.gz", "b.csv"):
        (tmp_path / name).touch()
    with pytest.raises(FileError, match=r"a\.csv and a\.csv\.gz would be one part"):
        list_csv(str(tmp_path))


def test_a_file_that_nobody_may_read_is_one_line(tmp_path: Path) -> None:
    job, _ = a_job(tmp_path)
    with pytest.raises(FileError, match=r"raw/gone\.csv: no such file or directory"):
        clean_file(job, File("gone.csv", 0, 0))


def test_a_file_that_the_store_does_not_hand_out_is_one_line_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, file = a_job(tmp_path)

    def refuse(*_: object) -> None:
        raise OSError("AWS Error ACCESS_DENIED")

    monkeypatch.setattr(StoredFile, "open", refuse)
    with pytest.raises(FileError, match=r"raw/a\.csv: AWS Error ACCESS_DENIED"):
        clean_file(job, file)


def test_the_code_that_has_to_be_the_same_is_not_what_lies_in_data(tmp_path: Path) -> None:
    lab = copy_of_git("batch-job", tmp_path)
    assert code_version(lab) == CODE
    (lab / "data/convert.py").write_text("print()")
    assert code_version(lab) == CODE
    (lab / "rules.py").write_text("")
    assert code_version(lab) != CODE


@pytest.mark.parametrize(("source", "out"), [("data", "./data/out"), ("data/raw/", "data/raw")])
def test_places_in_each_other_are_refused_however_they_are_written(source: str, out: str) -> None:
    with pytest.raises(SettingError, match="one is in the other"):
        read_settings({"SOURCE": source, "OUT": out})


def test_what_went_wrong_is_told_also_where_nothing_was_kept(tmp_path: Path) -> None:
    place = open_place(str(tmp_path))
    with pytest.raises(ZeroDivisionError), whole_file(place, "a.csv"):
        shutil.rmtree(tmp_path / UNFINISHED)
        _ = 1 / 0


def test_a_whole_file_is_there_or_not(tmp_path: Path) -> None:
    place = open_place(str(tmp_path))
    with pytest.raises(ZeroDivisionError), whole_file(place, "below/a.csv") as file:
        file.write(b"half")
        _ = 1 / 0
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
