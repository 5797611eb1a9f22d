"""Lab 4: bad input gets one clear line, exit code 2, and nothing is written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from docker_cli import docker
from gpu_train_runs import options, outcomes

pytest_plugins = ["gpu_train_fixtures"]

# The files are those of tests/inside/gpu_train_arrays.py.
BAD = {
    "epochs zero": ({"EPOCHS": "0"}, r"EPOCHS='0' is not accepted: give a whole number from 1"),
    "epochs text": ({"EPOCHS": "many"}, r"EPOCHS='many' is not accepted"),
    "batch size": ({"BATCH_SIZE": "-1"}, r"BATCH_SIZE='-1' is not accepted"),
    "lr": ({"LR": "nan"}, r"LR='nan' is not accepted: give a number above 0"),
    "seed": ({"SEED": "1.5"}, r"SEED='1.5' is not accepted"),
    "device": ({"DEVICE": "tpu"}, r"DEVICE='tpu' is not accepted: give one of auto, cpu, cuda"),
    "no cuda": ({"DEVICE": "cuda"}, r"DEVICE=cuda, but there is none: .*CPU build"),
    "compile": ({"COMPILE": "yes"}, r"COMPILE='yes' is not accepted"),
    "processes": ({"NPROC": "3"}, r"BATCH_SIZE=64 does not divide .* give a multiple of 3"),
    "no endpoint": ({"NNODES": "2"}, r"NNODES=2 needs RDZV_ENDPOINT"),
    "missing": ({"DATA_PATH": "/data/none.npz"}, r"'/data/none.npz' does not exist"),
    "missing, two processes": (
        {"DATA_PATH": "/data/none.npz", "NPROC": "2"},
        r"'/data/none.npz' does not exist",
    ),
    "folder": ({"DATA_PATH": "/data"}, r"'/data' does not exist: give"),
    "not npz": ({"DATA_PATH": "/tmp/text.npz"}, r"not a readable .npz file"),
    "npy": ({"DATA_PATH": "/tmp/single.npy"}, r"'/tmp/single.npy' is an .npy file, a single array"),
    "damaged data": ({"DATA_PATH": "/tmp/damaged.npz"}, r"not a readable .npz file"),
    "cut off": ({"DATA_PATH": "/tmp/cut_off.npz"}, r"not a readable .npz file"),
    "claims much": ({"DATA_PATH": "/tmp/claims_much.npz"}, r"not a readable .npz file"),
    "synthetic": ({"DATA_PATH": "synthetic:x"}, r"'synthetic:x' is not accepted"),
    "no y": ({"DATA_PATH": "/tmp/no_y.npz"}, r"has no array 'y'"),
    "flat": ({"DATA_PATH": "/tmp/flat.npz"}, r"x has shape \(100, 64\), accepted are \(N, H, W\)"),
    "short y": ({"DATA_PATH": "/tmp/short_y.npz"}, r"y has shape \(50,\), accepted is \(100,\)"),
    "real y": ({"DATA_PATH": "/tmp/real_y.npz"}, r"y is of type float64, accepted are whole"),
    "text x": ({"DATA_PATH": "/tmp/text_x.npz"}, r"x is of type <U1, accepted are"),
    "object x": ({"DATA_PATH": "/tmp/object_x.npz"}, r"not a readable .npz file of plain arrays"),
    "NaN": ({"DATA_PATH": "/tmp/nan.npz"}, r"1 images hold NaN .* the first is x\[17\]"),
    "overflow": ({"DATA_PATH": "/tmp/huge.npz"}, r"hold NaN or infinite values"),
    "one class": ({"DATA_PATH": "/tmp/one_class.npz"}, r"y holds one class only \(0\)"),
    "tiny images": ({"DATA_PATH": "/tmp/tiny.npz"}, r"images need 4x4 pixels or more"),
    "no images": ({"DATA_PATH": "/tmp/empty.npz"}, r"x has shape \(0, 8, 8\)"),
    "few": ({"DATA_PATH": "/tmp/few.npz"}, r"16 training samples, .* give BATCH_SIZE=16 or less"),
    "diverges": ({"LR": "1e9", "EPOCHS": "3"}, r"the loss is (nan|inf) in epoch .*smaller LR"),
}


@pytest.fixture(scope="module")
def answers(inside, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list]:
    """The outcome of every bad case."""
    cases = {name: env for name, (env, _says) in BAD.items()}
    return outcomes(inside, tmp_path_factory.mktemp("bad"), cases)


@pytest.mark.parametrize("name", BAD)
def test_bad_input_gets_one_clear_line(answers, name: str) -> None:
    code, said, files = answers[name]
    lines = [line for line in said.splitlines() if not line.startswith("device: ")]
    assert code == 2, said
    assert len(lines) == 1, said
    assert re.match(f"error: .*{BAD[name][1]}", lines[0]), said
    assert "model.safetensors" not in files


def test_out_of_memory_suggests_a_batch_size(image: str, tmp_path: Path) -> None:
    env = {"DATA_PATH": "synthetic:2000", "BATCH_SIZE": "2000"}
    command = ("python", "/inside/gpu_train_little_memory.py")
    done = docker("run", "--rm", *options(tmp_path, env), image, *command, check=False)
    assert done.returncode == 2, done.stderr
    assert "error: out of memory with BATCH_SIZE=2000: give BATCH_SIZE=1000" in done.stderr
    assert "Traceback" not in done.stderr
