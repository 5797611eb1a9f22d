"""What a run has counted: a table for the terminal, and a page of HTML that loads nothing from anywhere."""

from collections import Counter
from html import escape
from pathlib import Path
from string import Template

import rules

PAGE = Template(Path(__file__).with_name("report.html").read_text())


def totals(counts: Counter) -> dict[str, int]:
    rejected = sum(reasons(counts).values())
    return {"rows in": counts["rows"], "clean": counts["rows"] - rejected, "rejected": rejected}


def reasons(counts: Counter) -> dict[str, int]:
    """Return how many rows were rejected for each reason, the most frequent first."""
    found = {key[1]: n for key, n in counts.items() if key[0] == "rejected"}
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def noted(counts: Counter) -> dict[str, int]:
    return {key[1]: n for key, n in counts.items() if key[0] == "noted"}


def table(counts: Counter) -> str:
    """Return the counts as lines of text; for their keys see `Cleaned`."""
    why = {f"  {reason}": n for reason, n in reasons(counts).items()}
    lines = totals(counts) | why | noted(counts)
    width = max(map(len, lines)) + 2
    return "\n".join(f"{label:<{width}}{n:>13,}" for label, n in lines.items())


def page(source: str, counts: Counter, income_range: tuple[float, float]) -> str:
    """Return the report as HTML."""
    cards = (totals(counts) | noted(counts)).items()
    why = reasons(counts).items()
    return PAGE.substitute(
        source=escape(source),
        cards="".join(f"<section><b>{n:,}</b>{escape(label)}</section>" for label, n in cards),
        reasons="".join(
            f"<tr><th>{escape(reason)}<td>{n:,}<td>{n / counts['rows']:.2%}</tr>"
            for reason, n in why
        ),
        charts="".join(chart(it, counts) for it in rules.charts(*income_range)),
    )


def chart(it: rules.Chart, counts: Counter) -> str:
    """Draw two bars for each place: rows before and after. Places at the ends that have none are left out."""
    labels = [f"below {it.edges[0]:,g}", *it.labels, f"above {it.edges[-1]:,g}"]
    bars = [
        [counts[when, it.column, place] for when in ("before", "after")]
        for place in range(len(labels))
    ]
    most = max(1, *map(max, bars))
    shown = [place for place, pair in enumerate(bars) if any(pair)]
    rows = "".join(
        f"<tr><th>{escape(labels[place])}{bar('before', bars[place][0], most)}{bar('after', bars[place][1], most)}</tr>"
        for place in range(min(shown, default=0), max(shown, default=-1) + 1)
    )
    head = '<thead><tr><th><th>before<th class="bar"><th>after<th class="bar"></tr></thead>'
    return (
        f"<section><h2>{escape(it.title)}</h2><table>{head}<tbody>{rows}</tbody></table></section>"
    )


def bar(when: str, n: int, most: int) -> str:
    return f'<td>{n:,}<td class="bar {when}"><i style="width:{100 * n / most:.1f}%"></i>'
