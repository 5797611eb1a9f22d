"""The trained model in two formats that others read: safetensors and ONNX."""

from __future__ import annotations

import json
import logging
import warnings
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from safetensors.torch import save

from trainer.errors import TrainError
from trainer.files import replace_file

# Of the largest logit: ONNX Runtime and PyTorch may differ by float32 rounding and no more.
ONNX_TOLERANCE = 1e-3


def write_safetensors(path: Path, model: torch.nn.Module, metadata: dict[str, object]) -> None:
    tensors = {name: value.contiguous() for name, value in model.state_dict().items()}
    about = {key: json.dumps(value) for key, value in metadata.items()}
    with replace_file(path) as file:
        file.write(save(tensors, about))


def write_onnx(path: Path, model: torch.nn.Module, images: torch.Tensor) -> float:
    """Export the model, run both on `images` (N, C, H, W) float32, return how far they are apart (see onnx_difference).

    Raises TrainError, and leaves an earlier file alone, where ONNX Runtime computes something else.
    """
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(action="ignore"):
        program = torch.onnx.export(
            model,
            (images[:1].expand(2, -1, -1, -1),),
            input_names=["images"],
            output_names=["logits"],
            dynamic_shapes=({0: torch.export.Dim("samples")},),
            dynamo=True,
            verbose=False,
        )
    exported = program.model_proto.SerializeToString()
    difference = onnx_difference(exported, model, images)
    if not difference <= ONNX_TOLERANCE:  # NaN fails too
        raise TrainError(f"{path.name} differs from PyTorch by {difference:g}: it was not written")
    with replace_file(path) as file:
        file.write(exported)
    return difference


def onnx_difference(exported: bytes, model: torch.nn.Module, images: torch.Tensor) -> float:
    """Return the largest difference of logits, as a part of the largest logit; NaN where a logit is NaN."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(exported, options, providers=["CPUExecutionProvider"])
    (logits,) = session.run(None, {"images": images.numpy()})
    with torch.inference_mode():
        expected = model(images).numpy()
    return float(np.abs(logits - expected).max() / np.abs(expected).max())
