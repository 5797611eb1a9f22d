"""What a finished run leaves in outputs/: the model twice, its numbers, its curves."""

from __future__ import annotations

import json
import platform
import statistics
from pathlib import Path

import numpy as np
import torch

from trainer.console import log
from trainer.files import replace_file
from trainer.training import Training


def metrics_of(training: Training) -> dict:
    settings, data = training.settings, training.data
    history = training.progress.history
    last = history[-1]
    return {
        "data": data.name,
        **last["where"],
        "accuracy": last["accuracy"],
        "test_loss": last["test_loss"],
        "loss": last["loss"],
        "samples_per_second": statistics.median(row["samples_per_second"] for row in history),
        "seconds": sum(row["seconds"] for row in history),
        "epochs": settings.epochs,
        "batch_size": settings.batch_size,
        "lr": settings.lr,
        "seed": settings.seed,
        "training_samples": len(data.train),
        "test_samples": len(data.test) if data.test else 0,
        "parameters": sum(p.numel() for p in training.model.parameters()),
        "labels": data.labels,
    }


def versions() -> dict[str, str]:
    import onnx
    import onnxruntime

    found = {"python": platform.python_version(), "torch": torch.__version__}
    if torch.version.cuda:
        found["cuda"] = torch.version.cuda
    return found | {module.__name__: module.__version__ for module in (np, onnx, onnxruntime)}


def write_outputs(folder: Path, training: Training) -> None:
    """Write all four files, and say what came out."""
    # Needed at the end alone, and slow to import.
    from trainer.curves import write_curves
    from trainer.export import write_onnx, write_safetensors

    log.info("exporting the model")
    metrics = metrics_of(training)
    model = training.model.to("cpu", memory_format=torch.contiguous_format).eval()
    sample = training.data.test or training.data.train
    images, _labels = sample.take(torch.arange(min(256, len(sample))))
    write_safetensors(folder / "model.safetensors", model, {"labels": metrics["labels"]})
    metrics["onnx_difference"] = write_onnx(
        folder / "model.onnx", model, images.float().contiguous()
    )
    accuracy = metrics["accuracy"]
    score = "no accuracy: synthetic images" if accuracy is None else f"test accuracy {accuracy:.4f}"
    title = f"{metrics['data']} on {metrics['device_name']}: {score}"
    write_curves(folder / "loss.png", training.progress.history, title)
    # Last: who finds new numbers finds the model that they belong to.
    with replace_file(folder / "metrics.json") as file:
        file.write(json.dumps(metrics | {"versions": versions()}, indent=2).encode() + b"\n")
    log.info(
        f"{score}, {metrics['samples_per_second']:,.0f} samples/s, {metrics['seconds']:.1f} s: "
        f"see {folder}/metrics.json and {folder}/loss.png"
    )
