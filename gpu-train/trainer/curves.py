"""Loss and accuracy by epoch, as a picture."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator

from trainer.files import replace_file

INK, BLUE, ORANGE, GRID = "#1f2933", "#2563eb", "#ea7317", "#d9dee3"


def write_curves(path: Path, history: list[dict], title: str) -> None:
    """Draw loss and accuracy by epoch; accuracy only where the run has one."""
    has_test = history[-1]["accuracy"] is not None
    figure = Figure(figsize=(10 if has_test else 5.5, 4))
    axes = figure.subplots(1, 1 + has_test, squeeze=False)
    epochs = [row["epoch"] for row in history]
    left = axes[0][0]
    curve(left, epochs, [row["loss"] for row in history], BLUE, "training (smoothed labels)")
    if has_test:
        curve(left, epochs, [row["test_loss"] for row in history], ORANGE, "test")
        right = axes[0][1]
        curve(right, epochs, [100 * row["accuracy"] for row in history], ORANGE, "test")
        finish(right, "test accuracy (%)", "{:.1f}")
    left.set_yscale("log")
    left.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    left.yaxis.set_major_formatter("{x:g}")
    left.yaxis.set_minor_formatter("")
    finish(left, "loss (cross-entropy, log scale)", "{:.3f}")
    left.legend(frameon=False, loc="upper right")
    for axis in axes[0]:
        axis.set_xlim(left=0)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.suptitle(title, color=INK, fontsize=11, x=0.01, ha="left")
    figure.tight_layout()
    with replace_file(path) as file:
        figure.savefig(file, dpi=120, format="png")


def curve(axis: Axes, x: list[int], y: list[float], color: str, label: str) -> None:
    axis.plot(x, y, color=color, label=label, linewidth=1.8, marker="o", markersize=3)


def finish(axis: Axes, label: str, last: str) -> None:
    """Name the axes, keep the ink for the data, write the last value beside each curve."""
    axis.set_xlabel("epoch", color=INK)
    axis.set_ylabel(label, color=INK)
    axis.grid(color=GRID, linewidth=0.6, which="major")
    axis.set_axisbelow(True)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)
    axis.margins(x=0.09)
    for line in axis.get_lines():
        x, y = line.get_data()
        axis.annotate(
            last.format(y[-1]),
            (x[-1], y[-1]),
            xytext=(6, 0),
            textcoords="offset points",
            color=line.get_color(),
            fontsize=9,
            va="center",
        )
