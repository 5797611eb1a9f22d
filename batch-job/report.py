"""One page that shows a run: self-contained HTML, nothing is loaded from anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import pairwise

from block import add, income_edges
from rules import AGE_MAX, AGE_MIN

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1c2530; background: #f4f6f8; margin: 0 }
main { max-width: 52rem; margin: 2rem auto; padding: 0 1rem }
section { background: #fff; border: 1px solid #dfe4ea; border-radius: .6rem;
  padding: 1rem 1.5rem 1.2rem; margin: 1rem 0 }
h1 { font-size: 1.5rem; margin: 0 } h2 { font-size: 1.05rem; margin: 0 0 .6rem }
p { color: #5a6672; margin: .2rem 0 }
table { border-collapse: collapse; width: 100% }
td, th { padding: .2rem .4rem; text-align: right; white-space: nowrap; font-weight: normal;
  font-variant-numeric: tabular-nums }
th:first-child { text-align: left } thead th { color: #5a6672; font-size: .85rem }
tbody tr + tr { border-top: 1px solid #eef1f4 }
.cards { display: flex; gap: 1rem; flex-wrap: wrap; margin-top: 1rem; white-space: nowrap } .cards section { flex: 1; margin: 0 0 .2rem }
.cards b { display: block; font-size: 1.7rem; line-height: 1.2 }
.bar { width: 30%; text-align: left } .bar i { display: block; height: .8rem; border-radius: .2rem }
.before i { background: #a9b6c4 } .after i { background: #2f7fd3 }
"""


def page(
    source: str,
    rows: int,
    reasons: dict[str, int],
    incomes: Sequence[list[int]],
    ages: Sequence[list[int]],
    income_range: tuple[float, float],
) -> str:
    """Return the page; `incomes` and `ages` hold the counts of rejects and clean rows, see `block.Cleaned`."""
    rejected = sum(reasons.values())
    cards = "".join(
        f"<section><b>{count:,}</b>{label}</section>"
        for label, count in {
            "rows in": rows,
            "clean": rows - rejected,
            "rejected": rejected,
            "clipped": incomes[1][0] + incomes[1][-1],
        }.items()
    )
    why = "".join(
        f"<tr><th>{escape(reason)}<td>{count:,}<td>{count / rows:.2%}</tr>"
        for reason, count in reasons.items()
    )
    low, high = income_range
    edges = income_edges(low, high)
    income_labels = [
        f"below {low:,.0f}",
        *(f"{a:,.0f} to {b:,.0f}" for a, b in pairwise(edges)),
        f"above {high:,.0f}",
    ]
    age_labels = [f"below {AGE_MIN}", "18-30", "31-45", "46-60", "61+", f"above {AGE_MAX}"]
    under, first, *middle, last, over = incomes[1]
    clipped = [0, under + first, *middle, last + over, 0]
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Cleaning report</title><style>{STYLE}</style>
<main>
<h1>Cleaning report</h1>
<p>{escape(source)}</p>
<div class="cards">{cards}</div>
<section><h2>Why rows were rejected</h2><table>{why or "<tr><td>none was"}</table></section>
<section><h2>Age, years</h2>{bars(age_labels, add(*ages), ages[1])}</section>
<section><h2>Income per year</h2>{bars(income_labels, add(*incomes), clipped)}</section>
</main></html>
"""


def bars(labels: list[str], before: list[int], after: list[int]) -> str:
    """Draw two counts for every label as bars side by side; labels at the ends that have none are left out."""
    shown = [i for i in range(len(labels)) if before[i] or after[i]]
    most = max(*before, *after, 1)
    rows = "".join(
        f"<tr><th>{labels[i]}"
        + "".join(
            f'<td>{counts[i]:,}<td class="bar {name}"><i style="width:{100 * counts[i] / most:.1f}%"></i>'
            for name, counts in {"before": before, "after": after}.items()
        )
        + "</tr>"
        for i in range(min(shown, default=0), max(shown, default=-1) + 1)
    )
    head = '<thead><tr><th><th>before<th class="bar"><th>after<th class="bar"></tr></thead>'
    return f"<table>{head}<tbody>{rows}</tbody></table>"
