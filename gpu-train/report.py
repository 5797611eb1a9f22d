"""What a finished run leaves in outputs/: the model twice, its numbers, its curves."""

from __future__ import annotations

import json
import logging
import platform
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from checkpoint import replace
from settings import TrainError

# Logits of ONNX Runtime and of PyTorch may differ by float32 rounding and no more.
ONNX_TOLERANCE = 1e-3

INK, BLUE, ORANGE, GRID = "#1f2933", "#2563eb", "#ea7317", "#d9dee3"


def write_safetensors(path: Path, model: torch.nn.Module, metadata: dict) -> None:
    from safetensors.torch import save_file

    tensors = {name: value.contiguous() for name, value in model.state_dict().items()}
    about = {key: json.dumps(value) for key, value in metadata.items()}
    replace(path, lambda beside: save_file(tensors, beside, metadata=about))


def write_onnx(path: Path, model: torch.nn.Module, images: torch.Tensor, threads: int) -> float:
    """Export the model, run both on `images` (N, C, H, W) float32, return the largest difference.

    Raises TrainError, and leaves an earlier file alone, where ONNX Runtime computes something else.
    """
    largest = 0.0

    def export_and_check(beside: Path) -> None:
        nonlocal largest
        with warnings.catch_warnings(action="ignore"):
            torch.onnx.export(
                model,
                (images[:1].expand(2, -1, -1, -1),),
                beside,
                input_names=["images"],
                output_names=["logits"],
                dynamic_shapes=({0: torch.export.Dim("samples")},),
                dynamo=True,
                external_data=False,
                verbose=False,
            )
        largest = onnx_difference(beside, model, images, threads)
        if largest > ONNX_TOLERANCE:
            raise TrainError(f"{path.name} differs from PyTorch by {largest:g}: it was not written")

    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    replace(path, export_and_check)
    return largest


def onnx_difference(
    path: Path, model: torch.nn.Module, images: torch.Tensor, threads: int
) -> float:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    (logits,) = session.run(None, {"images": images.numpy()})
    with torch.inference_mode():
        expected = model(images).numpy()
    return float(np.abs(logits - expected).max())


def write_metrics(path: Path, metrics: dict) -> None:
    replace(path, lambda beside: beside.write_text(json.dumps(metrics, indent=2) + "\n"))


def versions() -> dict[str, str]:
    import onnx
    import onnxruntime

    found = {"python": platform.python_version(), "torch": torch.__version__}
    if torch.version.cuda:
        found["cuda"] = torch.version.cuda
    found |= {module.__name__: module.__version__ for module in (np, onnx, onnxruntime)}
    return found


def write_curves(path: Path, history: list[dict], title: str) -> None:
    """Draw loss and accuracy by epoch; accuracy only where the run has one."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.ticker import MaxNLocator

    has_test = history[-1]["accuracy"] is not None
    figure, axes = plt.subplots(
        1, 1 + has_test, figsize=(10 if has_test else 5.5, 4), squeeze=False
    )
    epochs = [row["epoch"] for row in history]
    left = axes[0][0]
    curve(left, epochs, [row["loss"] for row in history], BLUE, "training (smoothed labels)")
    if has_test:
        curve(left, epochs, [row["test_loss"] for row in history], ORANGE, "test")
        right = axes[0][1]
        curve(right, epochs, [100 * row["accuracy"] for row in history], ORANGE, "test")
        finish(right, "test accuracy (%)", "{:.1f}")
    left.set_yscale("log")
    left.yaxis.set_major_locator(matplotlib.ticker.LogLocator(subs=(1, 2, 5)))
    left.yaxis.set_major_formatter("{x:g}")
    left.yaxis.set_minor_formatter("")
    finish(left, "loss (cross-entropy, log scale)", "{:.3f}")
    left.legend(frameon=False, loc="upper right")
    for axis in axes[0]:
        axis.set_xlim(left=0)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.suptitle(title, color=INK, fontsize=11, x=0.01, ha="left")
    figure.tight_layout()
    replace(path, lambda beside: figure.savefig(beside, dpi=120, format="png"))
    plt.close(figure)


def curve(axis: object, x: list[int], y: list[float], color: str, label: str) -> None:
    axis.plot(x, y, color=color, label=label, linewidth=1.8, marker="o", markersize=3)


def finish(axis: object, label: str, last: str) -> None:
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


def write_all(
    folder: Path,
    model: torch.nn.Module,
    images: torch.Tensor,
    metrics: dict,
    history: list[dict],
    threads: int,
    say: Callable[[str], None],
) -> None:
    """Write all four files. `images`: (N, C, H, W) that the ONNX model is compared on."""
    model = model.to("cpu", memory_format=torch.contiguous_format).eval()
    say("exporting the model")
    write_safetensors(folder / "model.safetensors", model, {"labels": metrics["labels"]})
    difference = write_onnx(folder / "model.onnx", model, images.float().contiguous(), threads)
    measured = {**metrics, "onnx_max_difference": difference, "versions": versions()}
    accuracy = metrics["accuracy"]
    score = "no accuracy: synthetic images" if accuracy is None else f"test accuracy {accuracy:.4f}"
    write_curves(
        folder / "loss.png", history, f"{metrics['data']} on {metrics['device_name']}: {score}"
    )
    # Last: who finds new numbers finds the model that they belong to.
    write_metrics(folder / "metrics.json", measured)
