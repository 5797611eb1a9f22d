"""Write lab 4's odd arrays, good and bad, into a folder: as a program the folder is its argument."""

from __future__ import annotations

import io
import struct
import sys
import zipfile
from pathlib import Path

import numpy as np


def arrays(shape: tuple[int, ...] = (100, 8, 8), classes: int = 2) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {"x": rng.normal(size=shape), "y": np.arange(shape[0]) % classes}


def two_classes(low: int, high: int, dtype: str) -> dict[str, np.ndarray]:
    """200 colour images, 160 to train with, that are easily told apart."""
    is_high = np.arange(200) % 2
    x = np.random.default_rng(0).normal(size=(200, 3, 12, 9)) + 2 * is_high[:, None, None, None]
    return {"x": x, "y": np.where(is_high, np.array(high, dtype), np.array(low, dtype))}


def archives() -> dict[str, dict[str, np.ndarray]]:
    good = arrays()
    with_nan = good["x"].copy()
    with_nan[17, 3, 3] = np.nan
    return {
        "colours": two_classes(-1, 7, "int64"),
        "unsigned": two_classes(0, 2**64 - 1, "uint64"),
        "no_y": {"x": good["x"]},
        "flat": good | {"x": good["x"].reshape(100, 64)},
        "short_y": good | {"y": good["y"][:50]},
        "real_y": good | {"y": good["y"] + 0.5},
        "text_x": good | {"x": np.full((100, 8, 8), "a")},
        "object_x": good | {"x": np.full((100, 8, 8), None)},
        "nan": good | {"x": with_nan},
        "huge": good | {"x": good["x"] * 1e300},
        "one_class": good | {"y": np.zeros(100, int)},
        "tiny": arrays((100, 2, 2)),
        "empty": arrays((0, 8, 8)),
        "few": arrays((20, 8, 8)),
    }


def claiming_much(path: Path) -> None:
    """An archive whose x has the header of a petabyte and nothing behind it."""
    header = io.BytesIO()
    claim = {"descr": "<f8", "fortran_order": False, "shape": (2**31, 256, 256)}
    np.lib.format.write_array_header_1_0(header, claim)
    labels = io.BytesIO()
    np.save(labels, np.zeros(10, int))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", header.getvalue())
        archive.writestr("y.npy", labels.getvalue())


def write_all(folder: Path) -> None:
    for name, content in archives().items():
        np.savez(folder / f"{name}.npz", allow_pickle=True, **content)
    (folder / "text.npz").write_text("age,income")
    np.save(folder / "single.npy", arrays()["x"])
    claiming_much(folder / "claims_much.npz")
    np.savez_compressed(folder / "damaged.npz", allow_pickle=True, **arrays())
    whole = (folder / "damaged.npz").read_bytes()
    (folder / "cut_off.npz").write_bytes(whole[: len(whole) // 2])
    # The first compressed bytes of x lie behind a header of 30 bytes, a name and an extra field.
    start = 30 + sum(struct.unpack("<HH", whole[26:30]))
    (folder / "damaged.npz").write_bytes(whole[:start] + b"\xff" * 16 + whole[start + 16 :])


if __name__ == "__main__":
    write_all(Path(sys.argv[1]))
