"""Lab 4: what a training run writes and says."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from docker_cli import Compose, Container, docker
from gpu_train_runs import OUTPUTS, Finished, contents, metrics, options, rows, weights
from posture import assert_posture

pytest_plugins = ["gpu_train_fixtures"]


@pytest.fixture(scope="module")
def short(train, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """A run of one epoch, on two CPUs, that asked for a compiled model."""
    folder = tmp_path_factory.mktemp("short")
    done = train(folder, "--cpus", "2", COMPILE="1", EPOCHS="1")
    return Finished(folder, done.stdout, done.stderr)


def test_digits_are_learnt_and_everything_is_written(default: Finished) -> None:
    assert set(contents(default.folder)) == OUTPUTS
    modes = {path.stat().st_mode & 0o777 for path in (default.folder / "outputs").iterdir()}
    assert modes == {0o644}
    written = metrics(default.folder)
    assert written["accuracy"] >= 0.985
    assert written["device"] == "cpu"
    assert written["device_name"]
    assert written["versions"]["torch"] == "2.13.0+cpu"
    assert written["samples_per_second"] > 0
    assert written["seconds"] > 0
    assert (default.folder / "outputs/loss.png").read_bytes().startswith(b"\x89PNG")
    assert f"test accuracy {written['accuracy']:.4f}" in default.stderr
    assert [row["epoch"] for row in rows(default.stdout)] == list(range(1, 31))
    assert default.stdout.count("\n") == 30, "standard output carries the lines of JSON alone"


def test_safetensors_hold_the_model_in_a_header_anyone_can_read(default: Finished) -> None:
    raw = weights(default.folder)
    (length,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8 : 8 + length])
    assert header["features.0.weight"] == {
        "dtype": "F32",
        "shape": [32, 1, 3, 3],
        "data_offsets": header["features.0.weight"]["data_offsets"],
    }
    assert json.loads(header["__metadata__"]["labels"]) == list(range(10))


def test_onnx_model_takes_raw_images_in_any_number(default: Finished, inside) -> None:
    """The exported file alone is as good as what was measured, on images it saw and did not see."""
    assert metrics(default.folder)["onnx_difference"] < 1e-4
    assert float(inside("gpu_train_onnx_accuracy.py", folder=default.folder)) >= 0.985


def test_onnx_model_that_differs_is_not_written(inside) -> None:
    """Differences count as a part of the largest logit, and NaN is a difference."""
    found = json.loads(inside("gpu_train_onnx_differs.py"))
    assert found["large logits"] == "written"
    assert found["NaN"] == "model.onnx differs from PyTorch by nan: it was not written"
    assert found["other weights"] >= 1e-2


def test_another_seed_gives_other_weights(default: Finished, train, tmp_path: Path) -> None:
    """That the same seed gives the same ones is seen where an interrupted run is resumed."""
    train(tmp_path, SEED="1")
    assert metrics(tmp_path)["accuracy"] >= 0.985
    assert weights(tmp_path) != weights(default.folder)


@pytest.mark.parametrize(("arrays", "labels"), [("colours", [-1, 7]), ("unsigned", [0, 2**64 - 1])])
def test_own_arrays_with_labels_of_their_own(
    train, inside, tmp_path: Path, arrays: str, labels: list[int]
) -> None:
    inside("gpu_train_arrays.py", "/app/outputs", folder=tmp_path)
    (tmp_path / f"outputs/{arrays}.npz").rename(tmp_path / "data/x.npz")
    train(tmp_path, EPOCHS="3", BATCH_SIZE="16", DATA_PATH="/data/x.npz")
    written = metrics(tmp_path)
    assert written["labels"] == labels
    assert (written["training_samples"], written["test_samples"]) == (160, 40)
    assert written["accuracy"] == 1.0


def test_statistics_of_large_images_need_no_copy_of_them(inside) -> None:
    """400 MB of bytes: as float64 they would be 3 GB more."""
    found = json.loads(inside("gpu_train_statistics.py"))
    assert found["grew_mib"] < 200
    assert found["largest_error"] < 1e-4


def test_synthetic_images_measure_speed_and_claim_no_accuracy(train, tmp_path: Path) -> None:
    done = train(tmp_path, DATA_PATH="synthetic:128", EPOCHS="1")
    written = metrics(tmp_path)
    assert written["accuracy"] is None
    assert written["samples_per_second"] > 0
    assert "no accuracy" in done.stderr


@pytest.mark.parametrize("uid", [1001, 65534])
def test_files_belong_to_whoever_runs_it(image: str, train, tmp_path: Path, uid: int) -> None:
    mount = ["--volume", f"{tmp_path}:/there", "--user", "0"]
    (tmp_path / "outputs").mkdir()
    docker("run", "--rm", *mount, image, "chown", str(uid), "/there/outputs")
    train(tmp_path, EPOCHS="1", uid=uid)
    owners = {path.stat().st_uid for path in (tmp_path / "outputs").iterdir()}
    docker("run", "--rm", *mount, image, "chown", "-R", str(os.getuid()), "/there/outputs")
    assert owners == {uid}


def test_threads_follow_the_cpu_limit(default: Finished, short: Finished, inside) -> None:
    assert [metrics(run.folder)["threads"] for run in (default, short)] == [1, 2]
    assert json.loads(inside("gpu_train_cpu_limits.py")) == {
        "v2": 2,
        "v2 of half a CPU": 1,
        "v2 without a limit": 64,
        "v1": 3,
        "v1 without a limit": 64,
        "no files": 64,
    }


def test_streamed_batches_are_those_in_memory(inside) -> None:
    """The way of data that do not fit into a GPU's memory, through worker processes."""
    assert inside("gpu_train_batches.py") == "22 batches, the same\n"


def test_compile_falls_back_with_a_line_where_there_is_no_compiler(short: Finished) -> None:
    assert short.stderr.count("COMPILE=1 does not work here, training without it: ") == 1
    assert metrics(short.folder)["epochs"] == 1


def test_terminal_gets_a_progress_bar(image: str, tmp_path: Path) -> None:
    env = {"EPOCHS": "2"}
    done = docker("run", "--rm", "--tty", *options(tmp_path, env), image)
    assert "44/44" in done.stdout
    assert rows(done.stdout) == []


def test_plain_compose_in_a_copy_keeps_the_posture(compose: Callable[..., Compose]) -> None:
    project = compose("gpu-train", HOST_UID="65534", HOST_GID="65534", EPOCHS="100000")
    (project.folder / "outputs").chmod(0o777)
    project("up", "--detach", "--build", "train")
    container: Container = project.container("train")
    container.wait_until(lambda: rows(container.logs()))
    assert_posture(container)
    project("stop", "train")
    assert container.wait() == 0
    assert "resume with the same command" in container.logs()
