"""Draw results/growth.json as docs/growth-*.svg. Runs where matplotlib is, as in lab 2's image: see bench.sh.

Each picture carries the numbers it shows as its description, for the test that holds the two together.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
DOCS = HERE.parent / "docs"
SIZE = (7, 3)  # inches


def rows(axes: Any, points: list[dict]) -> None:
    at = [point["rows"] for point in points]
    seconds, memory = axes
    seconds.loglog(at, [point["seconds"] for point in points], "o-")
    seconds.set(xlabel="rows", ylabel="seconds")
    memory.semilogx(at, [point["peak_mib"] for point in points], "o-")
    memory.set(xlabel="rows", ylabel="peak memory, MiB", ylim=(0, 200))


def connections(axes: Any, points: list[dict]) -> None:
    at = [point["connections"] for point in points]
    rate, slowest = axes
    rate.semilogx(at, [point["requests_per_second"] for point in points], "o-")
    most = max(point["requests_per_second"] for point in points)
    rate.set(xlabel="connections", ylabel="requests/s", ylim=(0, 1.2 * most))
    slowest.loglog(at, [point["p99_ms"] for point in points], "o-", label="99 of 100")
    slowest.loglog(at, [point["p50_ms"] for point in points], "o-", label="half")
    slowest.set(xlabel="connections", ylabel="answers within, ms")
    slowest.legend()


def backlog(axes: Any, points: dict[str, list[int]]) -> None:
    for panel, (rate, waiting) in zip(axes, points.items(), strict=True):
        panel.plot(range(1, len(waiting) + 1), waiting)
        panel.set(
            xlabel="seconds", ylabel="not recorded yet", ylim=(0, max(int(rate) / 4, *waiting))
        )
        panel.set_title(f"{int(rate):,} predictions/s", fontsize="medium")


PLOTS: dict[str, Callable[[Any, Any], None]] = {
    "rows": rows,
    "connections": connections,
    "backlog": backlog,
}


def numbers(name: str) -> str:
    """The numbers that a picture shows, as text."""
    return json.dumps(json.loads((HERE / "results" / "growth.json").read_text())[name])


def main() -> None:
    import matplotlib

    matplotlib.use("svg")
    # The same numbers give the same file, and a reader's own font writes the text.
    matplotlib.rcParams.update({"svg.hashsalt": "growth", "svg.fonttype": "none"})
    from matplotlib import pyplot
    from matplotlib.ticker import EngFormatter, NullFormatter

    for name, draw in PLOTS.items():
        figure, axes = pyplot.subplots(1, 2, figsize=SIZE, layout="constrained")
        draw(axes, json.loads(numbers(name)))
        for panel in axes:
            panel.grid(alpha=0.3)
            for axis in (panel.xaxis, panel.yaxis):
                if axis.get_scale() == "log":
                    axis.set_major_formatter(EngFormatter(sep=""))
                    axis.set_minor_formatter(NullFormatter())
        figure.savefig(
            DOCS / f"growth-{name}.svg", metadata={"Date": None, "Description": numbers(name)}
        )


if __name__ == "__main__":
    main()
