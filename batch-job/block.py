"""One block of CSV text in, its clean rows and its rejects out. Threads clean several blocks side by side."""

from __future__ import annotations

import csv
import io
import math
import warnings
from dataclasses import dataclass
from itertools import pairwise

import narwhals as nw
import polars as pl
import rules

NUMBERS = {"age": pl.Int16, "income": pl.Float64, "churn": pl.Int8}
END = "\x1eend"
MARK = f",{END}\n"
# Columns of ours, under names that no CSV file has.
LAST, ROW, REASON = "\x1elast", "\x1erow", "\x1ereason"

# Polars says so of misplaced quotes; `split_quoted` sees it by itself.
warnings.filterwarnings("ignore", message="CSV malformed")

BINS = 20
AGE_EDGES = [rules.AGE_MIN, 31, 46, 61, rules.AGE_MAX + 1]


@dataclass(frozen=True)
class Table:
    """What all blocks of a file have in common."""

    columns: list[str]
    income_min: float
    income_max: float


@dataclass(frozen=True)
class Fields:
    """Records as text, null where a field is blank, and which of them have too few or too many fields."""

    text: pl.DataFrame
    short: pl.Series
    long: pl.Series


@dataclass(frozen=True)
class Checked:
    """Records that were looked at closely: their text, their numbers, the reason to reject them or null."""

    text: pl.DataFrame
    numbers: pl.DataFrame
    reason: pl.Series


@dataclass(frozen=True)
class Cleaned:
    """A block that is done. `rejects`: row number (1 = first of the block), reason, the row as text."""

    rows: int
    clean: memoryview
    rejects: pl.DataFrame
    # Counts of the rejects and of the clean rows before clipping, as `spread` gives them.
    incomes: tuple[list[int], ...]
    ages: tuple[list[int], ...]


def clean_columns(table: Table) -> list[str]:
    """The columns of the clean rows: those of the file, then what the rules add."""
    empty = pl.DataFrame(schema={name: NUMBERS.get(name, pl.String) for name in table.columns})
    return nw.from_native(empty).with_columns(*rules.cleaned()).columns


def clean_block(raw: bytes, quoted: bool, table: Table) -> Cleaned:
    """Clean whole records; `quoted` is False where a quote is just a character.

    Raises UnicodeDecodeError for text that is not UTF-8.
    """
    if not raw.isascii():
        raw.decode()
    if b"\r" in raw:
        raw = raw.replace(b"\r\n", b"\n")
    fields = split_quoted(raw, table.columns) if quoted and b'"' in raw else None
    if fields is None:
        if done := clean_quickly(raw, table):
            return done
        fields = split_lines(pl.read_lines(raw)["line"], table.columns)
    checked = judge(fields)
    kept = checked.text.with_columns(checked.numbers).filter(checked.reason.is_null())
    return finish(kept, checked, checked.reason.is_not_null().arg_true(), table)


def clean_quickly(raw: bytes, table: Table) -> Cleaned | None:
    """Numbers straight from the text where a line is a row, and a close look only at the rows that fail.

    None when the close look finds nothing wrong with one of them: "45.0" is an age too.
    """
    columns = table.columns
    schema = {name: NUMBERS.get(name, pl.String) for name in columns}
    try:
        rows = read_csv(raw, schema)
        ragged = rows[columns[-1]].null_count() > 0
    except pl.exceptions.PolarsError:  # a line is too long
        rows = read_csv(raw, schema, extra_columns="ignore")
        ragged = True
    fine = nw.from_native(rows).select(fine=rules.is_fine()).to_native()["fine"]
    lines = pl.read_lines(raw)["line"]
    if ragged:
        fine &= lines.str.count_matches(",", literal=True) == len(columns) - 1
    failed = (~fine).arg_true()
    checked = judge(split_lines(lines.gather(failed), columns))
    if checked.reason.null_count():
        return None
    return finish(rows.filter(fine), checked, failed, table)


def read_csv(raw: bytes, schema: dict, **options: str) -> pl.DataFrame:
    """Read without a header. Fields that a line lacks are null; one that is too long raises PolarsError."""
    options = {"quote_char": None, "missing_columns": "insert", "ignore_errors": True, **options}
    return pl.read_csv(raw, has_header=False, schema=schema, **options)


def split_lines(lines: pl.Series, columns: list[str]) -> Fields:
    """Split where no field is quoted. What a long line has too many stays in its last field."""
    width = len(columns)
    text = lines.str.splitn(",", width).struct.unnest()
    text.columns = columns
    commas = lines.str.count_matches(",", literal=True)
    return Fields(blank_is_null(text), commas < width - 1, commas > width - 1)


def split_quoted(raw: bytes, columns: list[str]) -> Fields | None:
    """Split where fields may be quoted; None when the quotes make no sense."""
    # One more field behind every line: where it lands tells the short rows from the long ones.
    marked = raw.replace(b"\n", MARK.encode())
    try:
        schema = dict.fromkeys([*columns, LAST], pl.String)
        text = read_csv(marked, schema, quote_char='"')
    except pl.exceptions.PolarsError:
        return split_slowly(raw, columns)
    end = (text[LAST] == END).fill_null(False)
    short = text.select(short=pl.any_horizontal(pl.col(columns).eq_missing(END))).to_series()
    inside = text.select(pl.sum_horizontal(pl.all().str.count_matches(MARK, literal=True).sum()))
    # Every mark must be found, behind a row or at a line break inside quotes, and no row may be long.
    if not (end | short).all() or text.height + inside.item() != raw.count(b"\n"):
        return split_slowly(raw, columns)
    text = text.select(pl.col(columns).str.replace_all(MARK, "\n", literal=True))
    text = text.select(pl.when(pl.all() != END).then(pl.all()))
    return Fields(text, short, pl.repeat(False, text.height, eager=True))


def split_slowly(raw: bytes, columns: list[str]) -> Fields | None:
    """Split by Python's own reader, which keeps all fields of a long row and is strict about quotes."""
    try:
        records = list(csv.reader(io.StringIO(raw.decode(), newline=""), strict=True))
    except csv.Error:
        return None
    width = len(columns)
    rows = [[*record[: width - 1], ",".join(record[width - 1 :])] for record in records]
    rows = [row + [""] * (width - len(row)) for row in rows]
    text = pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")
    fields = pl.Series([len(record) for record in records])
    return Fields(blank_is_null(text), fields < width, fields > width)


def blank_is_null(text: pl.DataFrame) -> pl.DataFrame:
    return text.select(pl.when(pl.all() != "").then(pl.all()))


def judge(fields: Fields) -> Checked:
    """Read the numbers, and find the first thing that is wrong with every row."""
    stripped = fields.text.select(pl.col(*NUMBERS).str.strip_chars())
    numbers = stripped.select(pl.all().cast(pl.Float64, strict=False))
    reason = pl.when(fields.short).then(pl.lit("too few fields"))
    reason = reason.when(fields.long).then(pl.lit("too many fields"))
    for name in NUMBERS:
        is_text = (stripped[name].fill_null("") != "") & numbers[name].is_null()
        reason = reason.when(is_text).then(pl.lit(f"{name} is not a number"))
    broken = nw.from_native(numbers).select(rules.reason()).to_native()["reason"]
    reason = pl.select(reason=reason.otherwise(broken)).to_series()
    return Checked(fields.text, numbers, reason)


def finish(kept: pl.DataFrame, checked: Checked, where: pl.Series, table: Table) -> Cleaned:
    """Apply the rules to the rows that are kept; `where` says which rows of the block are the rejects."""
    low, high = table.income_min, table.income_max
    clean = nw.from_native(kept).with_columns(*rules.cleaned(low, high)).to_native()
    out = io.BytesIO()
    clean.write_csv(out, include_header=False)

    bad = checked.reason.is_not_null()
    ours = pl.DataFrame({ROW: where.cast(pl.Int64) + 1, REASON: checked.reason.filter(bad)})
    both = checked.numbers.filter(bad), kept
    return Cleaned(
        rows=kept.height + ours.height,
        clean=out.getbuffer(),
        rejects=ours.hstack(checked.text.filter(bad)),
        incomes=tuple(spread(rows["income"], income_edges(low, high)) for rows in both),
        ages=tuple(spread(rows["age"], AGE_EDGES) for rows in both),
    )


def income_edges(low: float, high: float) -> list[float]:
    """Edges of BINS equal bins; `high` itself belongs to the last of them."""
    edges = [low + (high - low) * i / BINS for i in range(BINS)]
    return [*edges, math.nextafter(high, math.inf)]


def spread(values: pl.Series, edges: list[float]) -> list[int]:
    """Count the finite values below the first edge, from each edge to the next, and from the last on."""
    values = values.filter(values.is_finite())
    below = [0, *((values < edge).sum() for edge in edges), len(values)]
    return [b - a for a, b in pairwise(below)]


def add(these: list[int], those: list[int]) -> list[int]:
    return [a + b for a, b in zip(these, those, strict=True)]
