"""Images and labels: read, checked and split."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from trainer.errors import TrainError, first_line

DIGITS = Path(__file__).parents[1] / "digits.npz"
SYNTHETIC_SHAPE = (64, 64, 3)
SYNTHETIC_CLASSES = 10
TEST_SHARE = 0.2
SMALLEST_SIDE = 4
STATISTICS_PART = 1 << 20  # numbers that are looked at together


@dataclass(frozen=True)
class Images:
    """`x`: (N, H, W, C) uint8 or float32, the layout channels-last kernels want; `y`: (N,) int64."""

    x: torch.Tensor
    y: torch.Tensor

    def __len__(self) -> int:
        return len(self.y)

    def take(self, index: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return images (B, C, H, W) in channels-last memory, and labels (B,)."""
        return self.x[index].permute(0, 3, 1, 2), self.y[index]


@dataclass(frozen=True)
class Data:
    """`test` is None for synthetic images; `labels` are the user's own, by class index."""

    name: str
    sha256: str
    train: Images
    test: Images | None
    labels: list[int]


def load_data(data_path: str, seed: int, batch_size: int) -> Data:
    """Read what DATA_PATH names and split it.

    Raises TrainError that names the file and the array, and says what is accepted.
    """
    if data_path.startswith("synthetic:"):
        data = synthetic(data_path, seed)
    else:
        x, y = read_arrays(DIGITS if data_path == "digits" else Path(data_path), data_path)
        data = split(data_path, x, y, seed)
    if len(data.train) < batch_size:
        raise TrainError(
            f"DATA_PATH={data_path!r} has {len(data.train)} training samples, fewer than one batch: "
            f"give BATCH_SIZE={len(data.train)} or less (it is {batch_size})"
        )
    return data


def read_arrays(path: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return x (N, H, W, C) uint8 or float32 and whole numbers y (N,) from an .npz file."""
    where = f"DATA_PATH={name!r}"
    if not path.is_file():
        raise TrainError(f"{where} does not exist: give 'digits', 'synthetic:N' or an .npz file")
    try:
        content = np.load(path, allow_pickle=False)
        is_archive = isinstance(content, np.lib.npyio.NpzFile)
        arrays = {key: content[key] for key in ("x", "y") if is_archive and key in content}
    except Exception as error:  # from zipfile, zlib or NumPy, or for want of memory
        raise TrainError(
            f"{where} is not a readable .npz file of plain arrays, "
            f"as np.savez writes it ({first_line(error)})"
        ) from error
    if not is_archive:
        raise TrainError(
            f"{where} is an .npy file, a single array: give an .npz file with x and y, as "
            "np.savez('mine.npz', x=x, y=y) writes it"
        )
    if missing := {"x", "y"} - set(arrays):
        raise TrainError(
            f"{where} has no array {min(missing)!r}: it needs x (images) and y (labels)"
        )
    x, y = arrays["x"], arrays["y"]
    check_arrays(where, x, y)
    return as_channels_last(where, x), y


def check_arrays(where: str, x: np.ndarray, y: np.ndarray) -> None:
    if x.ndim not in (3, 4):
        raise TrainError(f"{where}: x has shape {x.shape}, accepted are (N, H, W) and (N, C, H, W)")
    if y.shape != (len(x),):
        raise TrainError(
            f"{where}: y has shape {y.shape}, accepted is ({len(x)},): one label for each of x"
        )
    if x.dtype.kind not in "biuf":
        raise TrainError(f"{where}: x is of type {x.dtype}, accepted are whole and real numbers")
    if y.dtype.kind not in "iu":
        raise TrainError(f"{where}: y is of type {y.dtype}, accepted are whole numbers")
    if min(x.shape[-2:]) < SMALLEST_SIDE or 0 in x.shape:
        raise TrainError(
            f"{where}: x has shape {x.shape}, images need {SMALLEST_SIDE}x{SMALLEST_SIDE} "
            "pixels or more"
        )


def as_channels_last(where: str, x: np.ndarray) -> np.ndarray:
    x = x[..., None] if x.ndim == 3 else x.transpose(0, 2, 3, 1)
    if x.dtype == np.uint8:
        return np.ascontiguousarray(x)
    with np.errstate(over="ignore"):  # what does not fit into float32 is found below
        x = np.ascontiguousarray(x, dtype="float32")
    finite = np.isfinite(x).reshape(len(x), -1).all(axis=1)
    if not finite.all():
        raise TrainError(
            f"{where}: {int((~finite).sum())} images hold NaN or infinite values, "
            f"the first is x[{int(np.argmin(finite))}]: remove or fill them"
        )
    return x


def split(name: str, x: np.ndarray, y: np.ndarray, seed: int) -> Data:
    """Put a fifth of each class aside for the test, chosen by the seed."""
    labels, y = np.unique(y, return_inverse=True)
    if len(labels) < 2:
        raise TrainError(
            f"DATA_PATH={name!r}: y holds one class only ({labels[0]}), give two or more"
        )
    rng = np.random.default_rng(seed)
    members = [rng.permutation(np.flatnonzero(y == label)) for label in range(len(labels))]
    aside = np.concatenate([index[: round(TEST_SHARE * len(index))] for index in members])
    if not len(aside):
        raise TrainError(
            f"DATA_PATH={name!r} has too few samples to test with: give 3 or more of a class"
        )
    is_test = np.zeros(len(y), dtype=bool)
    is_test[aside] = True
    digest = hashlib.sha256(x)
    digest.update(y)
    return Data(
        name,
        digest.hexdigest(),
        train=Images(torch.from_numpy(x[~is_test]), torch.from_numpy(y[~is_test])),
        test=Images(torch.from_numpy(x[is_test]), torch.from_numpy(y[is_test])),
        labels=labels.tolist(),
    )


def synthetic(name: str, seed: int) -> Data:
    """Random pixels: they show how fast a device trains, and nothing can be learnt from them."""
    count = re.fullmatch(r"synthetic:([1-9]\d{0,11})", name)
    if not count:
        raise TrainError(f"DATA_PATH={name!r} is not accepted: give 'synthetic:' and a number")
    rng = np.random.default_rng(seed)
    try:
        x = rng.integers(0, 256, (int(count[1]), *SYNTHETIC_SHAPE), dtype="uint8")
        y = rng.integers(0, SYNTHETIC_CLASSES, int(count[1]))
    except MemoryError as error:
        raise TrainError(f"DATA_PATH={name!r} does not fit into memory: give less") from error
    images = Images(torch.from_numpy(x), torch.from_numpy(y))
    return Data(name, f"{name} seed {seed}", images, None, list(range(SYNTHETIC_CLASSES)))


def channel_statistics(images: Images, sample: int = 10_000) -> tuple[torch.Tensor, torch.Tensor]:
    """Return mean and standard deviation (C,), float32, of the first `sample` images; a constant channel gets 1.

    A part at a time: as float64, all of them would need eight times the memory of their bytes.
    """
    x = images.x[:sample]
    parts = x.split(max(1, STATISTICS_PART // x[0].numel()))
    pixels = x[..., 0].numel()
    mean = sum(part.double().sum((0, 1, 2)) for part in parts) / pixels
    variance = sum(((part.double() - mean) ** 2).sum((0, 1, 2)) for part in parts) / (pixels - 1)
    std = variance.sqrt()
    return mean.float(), torch.where(std > 0, std, 1.0).float()
