"""Thousands of generated files, row by row against Python's csv module and pandas, in small blocks so that edges are met."""

from __future__ import annotations

import csv
import io
import random
from pathlib import Path

import pandas as pd
import pytest
from cleaner import reading
from cleaner.reading import FileError, open_source, read_columns, read_parts

CELLS = [
    "", " ", "a", "20", "5.5", '"', '""', 'say "hi"', '"q"', '"a,b"', '"two\nlines"', '"x""y"', 'x"', '"x"y', "é",
    "\x00", "\ufeffb", "*", "x" * 300, '"' + "y,\n" * 90 + '"',
]  # fmt: skip
NEWLINES = ["\n", "\r\n", "\r"]
FILES = 3000


def random_file(chance: random.Random) -> str:
    """A header of three to five columns, and rows of which some are ragged, blank or have stray quotes."""
    names = chance.sample(["age", "income", "churn"], 3) + ["*", "note"][: chance.randrange(3)]
    newline = chance.choice(NEWLINES)
    rows = [",".join(names)]
    for _ in range(chance.randrange(12)):
        width = len(names) + chance.choice([0, 0, 0, 0, -1, 1])
        rows.append(",".join(chance.choices(CELLS, k=width)))
    text = newline.join(rows) + chance.choice(["", newline])
    return chance.choice(["", "\ufeff"]) + text


def by_python(text: str) -> list[list[str]] | None:
    """The records as Python's csv module reads them, or None where a quote is never closed."""
    text = text.removeprefix("\ufeff")
    mark = "end of file"
    newline = "" if text.endswith(("\n", "\r")) else "\n"
    records = list(csv.reader(io.StringIO(text + newline + mark, newline="")))
    return records[:-1] if records[-1] == [mark] else None


def by_the_job(path: Path) -> list[list[str]]:
    """The records as the lab reads them."""
    columns = read_columns(path)
    records = [columns]
    with open_source(path) as file:
        for part in read_parts(path, file, columns):
            first = len(records)
            assert part.column(0).to_pylist() == [*range(first, first + len(part))]
            texts = [column.to_pylist() for column in part.columns[2:]]
            records += [[text or "" for text in row] for row in zip(*texts, strict=True)]
    return records


def fitted(record: list[str], width: int) -> list[str]:
    """A record with as many fields as there are columns: rejects.csv has them so."""
    if len(record) <= width:
        return record + [""] * (width - len(record))
    rest = io.StringIO()
    csv.writer(rest).writerow(record[width - 1 :])
    return [*record[: width - 1], rest.getvalue().removesuffix("\r\n")]


def by_pandas(path: Path) -> list[list[str]]:
    frame = pd.read_csv(path, header=None, dtype=str, keep_default_na=False, skip_blank_lines=False)
    return frame.to_numpy().tolist()


@pytest.mark.parametrize("block", [64, 700, 1 << 20])
def test_rows_are_those_of_pythons_csv_module(
    block: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "BLOCK", block)
    chance, compared = random.Random(block), 0
    for _ in range(FILES // 3):
        text = random_file(chance)
        path = tmp_path / "raw.csv"
        path.write_text(text, newline="")
        expected = by_python(text)
        try:
            seen = by_the_job(path)
        except FileError as error:
            assert "never closes" in str(error), (text, error)
            assert expected is None, (text, error)
            continue
        assert expected is not None, text
        # A blank line is a row of blank fields here, and nothing at all there.
        assert seen == [fitted(row, len(expected[0])) for row in expected], text
        if all(len(row) == len(seen[0]) for row in expected):
            assert seen == by_pandas(path), text
        compared += 1
    assert compared > FILES / 3 * 0.3
