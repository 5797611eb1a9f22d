"""Cleaning one part of a file by the rules of rules.py."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise
from typing import NamedTuple

import narwhals as nw
import pyarrow as pa
import pyarrow.compute as pc
import rules

from cleaner.writing import csv_text

THREADS = 2
NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$|^[+-]?(?i:nan|inf|infinity)$"


class Cleaned(NamedTuple):
    """A part that is done: the columns and the CSV text of its rows, and what the summary and the report count:

    "rows" (rows in, clean, rejected), "reasons", "noted", and for each of rules.charts, "age before" and "age after".
    """

    columns: list[str]
    clean: bytes
    rejects: bytes
    counts: dict[str, Counter]


def clean_part(part: pa.Table, income_range: tuple[float, float]) -> Cleaned:
    """Split a part of read_parts into clean rows and rejects, the latter as they stood, with row number and reason."""
    table, reasons = part.select(range(2, part.num_columns)), [part.column(1)]
    for name in rules.NUMBERS:
        numbers, garbled = to_numbers(table[name])
        table = table.set_column(table.schema.get_field_index(name), name, numbers)
        reasons.append(pc.if_else(garbled, f"{name} is not a number", None))
    reasons.append(nw.from_native(table).select(rules.reason()).to_native()["reason"])
    reason = pc.coalesce(*reasons)

    kept = table.filter(pc.is_null(reason))
    clean = nw.from_native(kept).with_columns(*rules.cleaned(*income_range)).to_native()
    rejects = part.set_column(1, "reason", reason).filter(pc.is_valid(reason))

    noted = nw.from_native(kept).select(**rules.noted(*income_range)).to_native()
    charts = rules.charts(*income_range).items()
    counts = {
        "rows": Counter({"rows in": len(table), "clean": len(clean), "rejected": len(rejects)}),
        "reasons": Counter(rejects.column(1).to_pylist()),
        "noted": Counter({name: pc.sum(noted[name]).as_py() or 0 for name in noted.column_names}),
        **{f"{name} before": spread(table[name], bars) for name, bars in charts},
        **{f"{name} after": spread(clean[name], bars) for name, bars in charts},
    }
    return Cleaned(clean.column_names, csv_text(clean), csv_text(rejects), counts)


def clean_parts(parts: Iterable[pa.Table], income_range: tuple[float, float]) -> Iterator[Cleaned]:
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


def spread(values: pa.ChunkedArray, bars: dict[str, float]) -> Counter:
    """Count the finite values of each bar: those up to its end that are in no bar before it."""
    values = values.filter(pc.is_finite(values))
    up_to = [0, *(pc.sum(pc.less_equal(values, end), min_count=0).as_py() for end in bars.values())]
    return Counter({bar: n - low for bar, (low, n) in zip(bars, pairwise(up_to), strict=True)})
