"""Cleaning one part of a file by the rules of rules.py."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import narwhals as nw
import pyarrow as pa
import pyarrow.compute as pc
import rules

from cleaner.reading import Part
from cleaner.writing import csv_text

THREADS = 2
NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$|^[+-]?(?i:nan|inf|infinity)$"


class Cleaned(NamedTuple):
    """A part that is done: the columns and the CSV text of its rows, and what a summary counts.

    Counted are "rows" (rows in, clean, rejected), "reasons", "noted" (labels of rules.noted), and "before" and "after"
    the cleaning the bars of rules.charts: (column, label).
    """

    columns: list[str]
    clean: bytes
    rejects: bytes
    counts: dict[str, Counter]


def clean_part(part: Part, income_range: tuple[float, float]) -> Cleaned:
    """Split a part into clean rows and rejects, the latter as they stood, with row number and reason."""
    table, reasons = part.rows, [part.ragged]
    for name in rules.NUMBERS:
        numbers, garbled = to_numbers(table[name])
        table = table.set_column(table.schema.get_field_index(name), name, numbers)
        reasons.append(pc.if_else(garbled, f"{name} is not a number", None))
    reasons.append(nw.from_native(table).select(rules.reason()).to_native()["reason"])
    reason = pc.coalesce(*reasons)

    kept = table.filter(pc.is_null(reason))
    clean = nw.from_native(kept).with_columns(*rules.cleaned(*income_range)).to_native()
    row = pa.arange(part.first, part.first + len(table))
    names = ["row", "reason", *part.rows.column_names]  # a name may be there twice
    listed = pa.table([row, reason, *part.rows.columns], names)
    rejects = listed.filter(pc.is_valid(reason))

    noted = nw.from_native(kept).select(**rules.noted(*income_range)).to_native()
    charts = rules.charts(*income_range)
    counts = {
        "rows": Counter({"rows in": len(table), "clean": len(clean), "rejected": len(rejects)}),
        "reasons": Counter(rejects.column(1).to_pylist()),
        "noted": Counter({name: pc.sum(noted[name]).as_py() or 0 for name in noted.column_names}),
        "before": spread(table, charts),
        "after": spread(clean, charts),
    }
    return Cleaned(clean.column_names, csv_text(clean), csv_text(rejects), counts)


def clean_parts(parts: Iterable[Part], income_range: tuple[float, float]) -> Iterator[Cleaned]:
    """Yield what becomes of each part, in their order, while two threads work."""
    waiting: deque[Future[Cleaned]] = deque()
    with ThreadPoolExecutor(THREADS) as pool:
        for part in parts:
            waiting.append(pool.submit(clean_part, part, income_range))
            if len(waiting) > THREADS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def to_numbers(text: pa.ChunkedArray) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """Return the numbers in a column of text, null where there is none, and where other text stands in their place."""
    try:
        numbers = text.cast(pa.float64())
    except pa.ArrowInvalid:
        # At least one field is something else, or has a blank beside its number.
        text = pc.utf8_trim_whitespace(text)
        numbers = pc.if_else(pc.match_substring_regex(text, NUMBER), text, None).cast(pa.float64())
        text = pc.if_else(pc.equal(text, ""), None, text)
    return numbers, pc.and_(text.is_valid(), numbers.is_null())


def spread(table: pa.Table, charts: dict[str, dict[str, float]]) -> Counter:
    """Count the finite values of each bar of each chart: keys are (column, label)."""
    found: Counter = Counter()
    for name, bars in charts.items():
        values = table[name].filter(pc.is_finite(table[name]))
        before = 0
        for label, end in bars.items():
            up_to = pc.sum(pc.less_equal(values, end)).as_py() or 0
            found[name, label], before = up_to - before, up_to
    return found
