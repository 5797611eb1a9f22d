"""Cleaning one part of a file by the rules of rules.py: text in, CSV text of the clean rows and the rejects out."""

import csv
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

import narwhals as nw
import pyarrow as pa
import pyarrow.compute as pc
import rules
from pyarrow.csv import InvalidRow

from cleaner.reading import Part, number_of
from cleaner.writing import csv_text, one_array

NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$|^[+-]?(?i:nan|inf|infinity)$"


@dataclass(frozen=True)
class Cleaned:
    """A part that is done: CSV text of its clean rows and of its rejects, and what a summary counts.

    Keys of `counts`: "rows", ("rejected", reason), ("noted", label of rules.noted), and for rules.charts
    ("before", column, bar) and ("after", column, bar), where bar 0 is what lies below the first edge.
    """

    clean: memoryview
    rejects: memoryview
    counts: Counter


def clean_columns(columns: list[str]) -> list[str]:
    """Return the columns of the clean rows: those of the file, then what the rules add."""
    types = {name: pa.float64() if name in rules.NUMBERS else pa.string() for name in columns}
    empty = pa.schema(types.items()).empty_table()
    return nw.from_native(empty).with_columns(*rules.cleaned()).columns


def clean_part(part: Part, income_range: tuple[float, float]) -> Cleaned:
    """Split a part into clean rows and rejects, the latter with row number and reason, in the order of the file."""
    text = dict(zip(part.rows.schema.names, part.rows.columns, strict=True))
    read = {name: to_numbers(text[name]) for name in rules.NUMBERS}
    numbers = pa.table(text | {name: values for name, (values, _) in read.items()})
    garbled = {f"{name} is not a number": where for name, (_, where) in read.items()}

    fine = mask(numbers, rules.is_fine())
    for where in garbled.values():
        fine = pc.and_not(fine, where)
    kept = numbers.filter(fine)
    clean = nw.from_native(kept).with_columns(*rules.cleaned(*income_range)).to_native()

    bad = pc.invert(fine)
    reason = nw.from_native(numbers.filter(bad)).select(rules.reason()).to_native()["reason"]
    for why, where in reversed(garbled.items()):
        reason = pc.if_else(where.filter(bad), why, reason)
    rejects = [
        part.numbers().filter(bad),
        reason,
        *(column.filter(bad) for column in text.values()),
    ]

    counts: Counter = Counter({"rows": numbers.num_rows + len(part.ragged)})
    counts.update(("rejected", why_ragged(row)) for row in part.ragged)
    for why in pc.value_counts(reason).to_pylist():
        counts["rejected", why["values"]] += why["counts"]
    for label, rule in rules.noted(*income_range).items():
        counts["noted", label] = mask(kept, rule).true_count
    for _, name, edges, _ in rules.charts(*income_range):
        for when, table in (("before", numbers), ("after", clean)):
            counts.update(
                {(when, name, bar): n for bar, n in enumerate(spread(table[name], edges))}
            )
    return Cleaned(csv_text(clean.columns), csv_text(with_ragged(rejects, part.ragged)), counts)


def mask(table: pa.Table, rule: nw.Expr) -> pa.Array:
    return nw.from_native(table).select(mask=rule).to_native()["mask"].combine_chunks()


def to_numbers(text: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Return the numbers in a column of text, null where there is none, and where other text stands in their place."""
    try:
        numbers = text.cast(pa.float64())
    except pa.ArrowInvalid:
        # At least one field is something else, or has a blank beside its number.
        text = pc.utf8_trim_whitespace(text)
        numbers = pc.if_else(pc.match_substring_regex(text, NUMBER), text, None).cast(pa.float64())
        text = pc.if_else(pc.equal(text, ""), None, text)
    return numbers, pc.and_(text.is_valid(), numbers.is_null())


def with_ragged(rejects: list[pa.Array], ragged: list[InvalidRow]) -> list[pa.Array]:
    """Put rows with too few or too many fields to the other rejects, in the order of their numbers."""
    if not ragged:
        return rejects
    width = len(rejects) - 2
    more = [[number_of(row), why_ragged(row), *fields(row, width)] for row in ragged]
    both = [
        pa.concat_arrays([one_array(column), pa.array(added, column.type)])
        for column, added in zip(rejects, zip(*more, strict=True), strict=True)
    ]
    order = pc.sort_indices(both[0])
    return [column.take(order) for column in both]


def why_ragged(row: InvalidRow) -> str:
    return f"too {'few' if row.actual_columns < row.expected_columns else 'many'} fields"


def fields(row: InvalidRow, width: int) -> list[str]:
    """Return the row's text as `width` fields; what a long row has too many stays in the last one."""
    record = next(csv.reader([row.text]))
    return [*record[: width - 1], ",".join(record[width - 1 :])] + [""] * (width - 1 - len(record))


def spread(values: pa.ChunkedArray, edges: list[float]) -> list[int]:
    """Count the finite values below the first edge, from each edge to the next (the last one included), and above."""
    values = values.filter(pc.is_finite(values))
    below = [pc.sum(pc.less(values, edge)).as_py() or 0 for edge in edges[:-1]]
    below.append(pc.sum(pc.less_equal(values, edges[-1])).as_py() or 0)
    return [b - a for a, b in pairwise([0, *below, len(values)])]
