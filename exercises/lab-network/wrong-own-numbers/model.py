"""A small convolutional network for images of any size."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

WIDTHS = (48, 96, 192)


class SmallConvNet(nn.Module):
    """Three convolutions, a mean over the pixels, one linear layer.

    It standardises its input itself, so that who uses the exported model need not know how. Two things make a
    run the same however a batch is divided among processes: no batch statistics, and an activation without a
    kink (with ReLU, rounding that differs in the 8th digit grows to the 2nd within ten epochs).
    """

    def __init__(self, classes: int, mean: torch.Tensor, std: torch.Tensor) -> None:
        """`mean`, `std`: (C,), of the training images."""
        super().__init__()
        self.register_buffer("mean", mean.view(1, -1, 1, 1))
        self.register_buffer("std", std.view(1, -1, 1, 1))
        layers: list[nn.Module] = []
        channels = len(mean)
        for number, width in enumerate(WIDTHS):
            layers += [nn.Conv2d(channels, width, 3, stride=2 if number else 1, padding=1)]
            layers += [nn.SiLU()]
            channels = width
        self.features = nn.Sequential(*layers)
        self.head = nn.Linear(channels, classes)
        self.random = np.random.default_rng(42)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return logits (N, classes) for images (N, C, H, W) of any real type."""
        standard = (images.float() - self.mean) / self.std
        features = self.features(standard).mean((2, 3))
        if self.training:
            kept = self.random.random(tuple(features.shape)) > 0.2
            features = features * torch.from_numpy(kept).to(features) / 0.8
        return self.head(features)
