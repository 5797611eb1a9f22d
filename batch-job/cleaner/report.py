"""What a run has counted: a table for the terminal, and a page of HTML that loads nothing from anywhere."""

from collections import Counter
from html import escape
from pathlib import Path
from string import Template

import rules

PAGE = Template(Path(__file__).with_name("report.html").read_text())


def table(counts: dict[str, Counter]) -> str:
    """Return the counts of `Cleaned` as lines of text, the reasons with the most frequent first."""
    why = {f"  {reason}": n for reason, n in counts["reasons"].most_common()}
    lines = {**counts["rows"], **why, **counts["noted"]}
    width = max(map(len, lines)) + 2
    return "\n".join(f"{label:<{width}}{n:>13,}" for label, n in lines.items())


def page(source: str, counts: dict[str, Counter]) -> str:
    """Return the report as HTML."""
    cards = {**counts["rows"], **counts["noted"]}.items()
    rows_in, why = counts["rows"]["rows in"], counts["reasons"].most_common()
    return PAGE.substitute(
        source=escape(source),
        cards="".join(f"<section><b>{n:,}</b>{escape(it)}</section>" for it, n in cards),
        reasons="".join(f"<tr><th>{escape(it)}<td>{n:,}<td>{n / rows_in:.2%}" for it, n in why),
        charts="".join(chart(name, counts) for name in rules.charts()),
    )


def chart(name: str, counts: dict[str, Counter]) -> str:
    """Draw two bars for each label: the rows before and after the cleaning."""
    before, after = counts[f"{name} before"], counts[f"{name} after"]
    most = max(1, *before.values(), *after.values())
    rows = ""
    for label in before:
        rows += f"<tr><th>{escape(label)}"
        for n in (before[label], after[label]):
            rows += f"<td>{n:,}<td><meter max={most} value={n}></meter>"
    head = "<thead><tr><th><th>before<th><th>after<th></thead>"
    return f"<section><h2>{escape(name)}</h2><table>{head}{rows}</table></section>"
