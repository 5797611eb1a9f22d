"""Print what becomes of an ONNX export whose logits are huge, are NaN, or are of other weights."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from model import SmallConvNet
from trainer.errors import TrainError
from trainer.export import onnx_difference, write_onnx

PATH = Path("outputs/model.onnx")


def network(scale: float) -> SmallConvNet:
    torch.manual_seed(0)
    made = SmallConvNet(10, torch.zeros(1), torch.ones(1)).eval()
    with torch.no_grad():
        made.head.weight.mul_(scale)
    return made


def attempt(scale: float) -> str:
    try:
        write_onnx(PATH, network(scale), images)
    except TrainError as error:
        return str(error)
    return "written"


images = torch.rand(16, 1, 8, 8, generator=torch.Generator().manual_seed(0))
found: dict[str, object] = {"large logits": attempt(1e8)}
found["other weights"] = onnx_difference(PATH.read_bytes(), network(1.1e8), images)
found["NaN"] = attempt(float("nan"))
print(json.dumps(found))
