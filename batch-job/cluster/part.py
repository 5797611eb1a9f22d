"""One file cleaned by the functions of cleaner/: this is what a worker does."""

import hashlib
import json
import socket
from collections import Counter, defaultdict
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple, cast

import narwhals as nw
import pyarrow as pa
import rules
from cleaner.cleaning import Cleaned, clean_parts
from cleaner.reading import open_source, read_columns, read_parts
from cleaner.writing import csv_line
from pyarrow.csv import ConvertOptions, ParseOptions, ReadOptions, read_csv
from pyarrow.fs import FileSystem
from pyarrow.parquet import ParquetWriter

from cluster.files import File, StoredFile, open_place, remove, whole_file

RECORDS = "_records"


def code_version(lab: Path) -> str:
    """Return a digest of all that decides what comes out: the code, and the version of Arrow."""
    digest = hashlib.sha256(pa.__version__.encode())
    for path in sorted([lab / "rules.py", *lab.glob("cleaner/*.py"), *lab.glob("cluster/*.py")]):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


CODE = code_version(Path(__file__).parents[1])  # that this process has


class ClusterError(Exception):
    """A cluster that cannot work. The text is one line: what is wrong, and what to do."""


class Job(NamedTuple):
    """What is the same for all files of a run. A part that was made for another job is made anew."""

    source: str
    out: str
    format: str
    income_min: float
    income_max: float
    code: str


def clean_file(job: Job, file: File) -> dict:
    """Write clean rows and rejects of a file, at last its record, and return that. It may run twice, also at once.

    Raises FileError for what the user can mend, and then what was there before stays.
    """
    if job.code != CODE:
        other = f"worker {socket.gethostname()} has another version of the code than the driver"
        raise ClusterError(f"{other}: build the images and start all again")
    raw, out = cast(Path, StoredFile(job.source, file.name)), open_place(job.out)
    names = {
        "clean": f"clean/{file.part}.{job.format}",
        "rejects": f"rejects/{file.part}.csv",
        "record": f"{RECORDS}/{file.part}.json",
    }
    income_range = (job.income_min, job.income_max)
    columns = read_columns(raw)
    counts: dict[str, Counter] = defaultdict(Counter)
    with (
        open_source(raw) as source,
        whole_file(out, names["clean"]) as clean,
        whole_file(out, names["rejects"]) as rejects,
        ExitStack() as stack,
    ):
        rejects.write(csv_line(["row", "reason", *columns]))
        parquet = None
        for done in clean_parts(read_parts(raw, source, columns), income_range):
            header = b"" if clean.tell() else csv_line(done.columns)
            if job.format == "csv":
                clean.write(header + done.clean)
            else:
                rows = to_table(done, columns, income_range)
                parquet = parquet or stack.enter_context(ParquetWriter(clean, rows.schema))
                parquet.write_table(rows)
            rejects.write(done.rejects)
            for kind, found in done.counts.items():
                counts[kind].update(found)
        # It is about the parts of an earlier run, and these go now, also where they had another format.
        old = parts_of(out, names["record"])
        remove(out, [names["record"], *(old - set(names.values()))])
    record = {
        "file": file._asdict(),
        "job": job._asdict(),
        "parts": names,
        # Without what the report draws.
        **{kind: counts[kind] for kind in ("rows", "reasons", "noted")},
    }
    text = json.dumps(record)
    with whole_file(out, names["record"]) as written:
        written.write(text.encode())
    return json.loads(text)


def parts_of(out: FileSystem, record: str) -> set[str]:
    """Return the names of the parts that a record tells of; none where there is no record."""
    try:
        with out.open_input_file(record) as file:
            return set(json.loads(file.read())["parts"].values())
    except FileNotFoundError:
        return set()


def to_table(done: Cleaned, columns: list[str], income_range: tuple[float, float]) -> pa.Table:
    """Return clean rows with the types that the rules make of them, which are the same for every file."""
    types = {name: pa.float64() if name in rules.NUMBERS else pa.string() for name in columns}
    cleaned = nw.from_native(pa.schema(types).empty_table()).with_columns(
        *rules.cleaned(*income_range)
    )
    text = csv_line(done.columns) + done.clean
    return read_csv(
        pa.BufferReader(text),
        ReadOptions(block_size=len(text), use_threads=False),
        ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        ConvertOptions(
            column_types=cleaned.to_native().schema, null_values=[""], strings_can_be_null=True
        ),
    )
