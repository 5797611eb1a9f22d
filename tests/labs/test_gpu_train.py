"""Lab 4: what a training run writes, says and refuses, on the CPU and under the lab's own restrictions."""

from __future__ import annotations

import json
import os
import re
import struct
import subprocess
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from docker_cli import LABEL, Compose, Container, docker
from posture import assert_posture
from repository import ROOT

HARDENED = ["--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--network", "none", "--init"]
HARDENED += ["--security-opt", "no-new-privileges:true", "--shm-size", "256m", "--label", LABEL]
OUTPUTS = {"checkpoint.pt", "loss.png", "metrics.json", "model.onnx", "model.safetensors"}


def options(folder: Path, env: dict[str, str], *more: str, uid: int | None = None) -> list[str]:
    """`docker run` options with `folder` as outputs and `folder/data` as the user's data."""
    (folder / "outputs").mkdir(exist_ok=True)
    (folder / "data").mkdir(exist_ok=True)
    user = os.getuid() if uid is None else uid
    # Images this small are learnt no faster by two threads.
    cpus = env.get("NPROC", "1")
    return [
        *HARDENED, "--cpus", cpus, *more, "--user", f"{user}:{user}",
        "--volume", f"{folder}/outputs:/app/outputs", "--volume", f"{folder}/data:/data:ro",
        *(word for name, value in env.items() for word in ("--env", f"{name}={value}")),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def image(image_of: Callable[..., str]) -> str:
    return image_of("gpu-train", target="cpu")


@pytest.fixture(scope="module")
def train(image: str) -> Callable[..., subprocess.CompletedProcess[str]]:
    """`train(folder, EPOCHS="2")` runs one training to its end: exit code, stdout, stderr."""

    def start(
        folder: Path, *more: str, check: bool = True, uid: int | None = None, **env: str
    ) -> subprocess.CompletedProcess[str]:
        done = docker(
            "run", "--rm", *options(folder, env, *more, uid=uid), image, check=False, timeout=300
        )
        if check:
            assert done.returncode == 0, done.stdout + done.stderr
        return done

    return start


@pytest.fixture(scope="module")
def python(image: str, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """`python(code)` runs code in the image, in the lab's folder; returns what it printed."""

    def start(code: str, folder: Path | None = None, **env: str) -> str:
        where = folder or tmp_path_factory.mktemp("python")
        done = docker(
            "run", "--rm", *options(where, env), image, "python", "-c", textwrap.dedent(code)
        )
        return done.stdout

    return start


@pytest.fixture(scope="module")
def default(train, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """The run with nothing set: its folder, stdout and stderr. Nobody writes to the folder after it."""
    folder = tmp_path_factory.mktemp("default")
    done = train(folder)
    return folder, done.stdout, done.stderr


@pytest.fixture(scope="module")
def short(train, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A run of one epoch, on two CPUs, that asked for a compiled model: its folder and stderr."""
    folder = tmp_path_factory.mktemp("short")
    return folder, train(folder, "--cpus", "2", COMPILE="1", EPOCHS="1").stderr


def rows(stdout: str) -> list[dict]:
    return [json.loads(line) for line in stdout.splitlines() if line.startswith("{")]


def metrics(folder: Path) -> dict:
    return json.loads((folder / "outputs/metrics.json").read_text())


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "outputs").iterdir()}


def weights(folder: Path) -> bytes:
    return (folder / "outputs/model.safetensors").read_bytes()


# What a run writes --------------------------------------------------------------------------------


def test_digits_are_learnt_and_everything_is_written(default) -> None:
    folder, stdout, stderr = default
    assert set(contents(folder)) == OUTPUTS
    assert {path.stat().st_mode & 0o777 for path in (folder / "outputs").iterdir()} == {0o644}
    written = metrics(folder)
    assert written["accuracy"] >= 0.985
    assert written["device"] == "cpu"
    assert written["device_name"]
    assert written["versions"]["torch"] == "2.13.0+cpu"
    assert written["samples_per_second"] > 0
    assert written["seconds"] > 0
    assert (folder / "outputs/loss.png").read_bytes().startswith(b"\x89PNG")
    assert f"test accuracy {written['accuracy']:.4f}" in stderr
    assert [row["epoch"] for row in rows(stdout)] == list(range(1, 31))
    assert stdout.count("\n") == 30, "standard output carries the lines of JSON alone"


def test_safetensors_hold_the_model_in_a_header_anyone_can_read(default) -> None:
    raw = weights(default[0])
    (length,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8 : 8 + length])
    assert header["features.0.weight"] == {
        "dtype": "F32",
        "shape": [32, 1, 3, 3],
        "data_offsets": header["features.0.weight"]["data_offsets"],
    }
    assert json.loads(header["__metadata__"]["labels"]) == list(range(10))


def test_onnx_model_takes_raw_images_in_any_number(default, python) -> None:
    """The exported file alone is as good as what was measured, on images it saw and did not see."""
    assert metrics(default[0])["onnx_max_difference"] < 1e-3
    printed = python(
        """
        import numpy as np, onnxruntime
        digits = np.load("digits.npz")
        session = onnxruntime.InferenceSession("outputs/model.onnx")
        images = digits["x"][:, None].astype("float32")
        for count in (1, 7, len(images)):
            (logits,) = session.run(None, {"images": images[:count]})
            assert logits.shape == (count, 10)
        print((logits.argmax(1) == digits["y"]).mean())
        """,
        default[0],
    )
    assert float(printed) >= 0.985


def test_another_seed_gives_other_weights(default, train, tmp_path: Path) -> None:
    """That the same seed gives the same ones is seen where an interrupted run is resumed."""
    train(tmp_path, SEED="1")
    assert metrics(tmp_path)["accuracy"] >= 0.985
    assert weights(tmp_path) != weights(default[0])


def test_own_arrays_with_labels_of_their_own(train, python, tmp_path: Path) -> None:
    make = """
        import numpy as np
        y = np.tile([7, -1], 100)
        x = np.random.default_rng(0).normal(size=(200, 3, 12, 9)) + y[:, None, None, None]
        np.savez("outputs/x.npz", x=x, y=y)
    """
    python(make, tmp_path)
    (tmp_path / "outputs/x.npz").rename(tmp_path / "data/x.npz")
    train(tmp_path, EPOCHS="3", BATCH_SIZE="16", DATA_PATH="/data/x.npz")
    written = metrics(tmp_path)
    assert written["labels"] == [-1, 7]
    assert (written["training_samples"], written["test_samples"]) == (160, 40)
    assert written["accuracy"] == 1.0


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


# Interrupted and resumed --------------------------------------------------------------------------


@pytest.mark.parametrize("signal", ["TERM", "KILL"])
def test_resumed_run_ends_with_the_weights_of_an_uninterrupted_one(
    image: str, run, train, default, tmp_path: Path, signal: str
) -> None:
    container = run(image, options=options(tmp_path, {}))
    container.wait_until(lambda: len(rows(container.logs())) >= 3)
    container.kill(signal)
    code = container.wait()
    if signal == "TERM":
        assert code == 0, container.logs()
        assert "resume with the same command" in container.logs()
    assert 3 <= len(rows(container.logs())) < 30, "it was to be interrupted half way"
    assert not (tmp_path / "outputs/model.safetensors").exists()

    resumed = train(tmp_path)
    assert "resuming after step" in resumed.stderr
    assert len(rows(resumed.stdout)) < 28, "it started over"
    assert weights(tmp_path) == weights(default[0])
    assert set(contents(tmp_path)) == OUTPUTS, "no half-written file is left"


def test_finished_run_is_not_repeated(default, train, tmp_path: Path) -> None:
    (tmp_path / "outputs").mkdir()
    for name, content in contents(default[0]).items():
        (tmp_path / "outputs" / name).write_bytes(content)
    done = train(tmp_path)
    assert rows(done.stdout) == []
    assert "already trained; move outputs/checkpoint.pt away to train anew" in done.stderr
    assert weights(tmp_path) == weights(default[0])


OTHER_SETTINGS = {
    "LR was 0.008, is 0.5": {"LR": "0.5"},
    "EPOCHS was 30, is 31; SEED was 42, is 7": {"EPOCHS": "31", "SEED": "7"},
    "DATA_PATH was digits, is synthetic:64": {"DATA_PATH": "synthetic:64"},
}


def test_checkpoint_of_another_configuration_is_refused(image: str, default) -> None:
    folder, _stdout, _stderr = default
    before = contents(folder)
    for says, (code, said, _files) in outcomes(image, folder, OTHER_SETTINGS).items():
        assert code == 2
        assert says in said
        assert said.count("error: ") == 1
    assert contents(folder) == before


def test_checkpoint_that_is_none_is_refused_and_runs_no_code(python, tmp_path: Path) -> None:
    printed = python(
        """
        import contextlib, os, pathlib, sys, torch, train
        class Evil:
            def __reduce__(self):
                return os.system, ("touch /app/outputs/pwned",)
        checkpoint = pathlib.Path("outputs/checkpoint.pt")
        torch.save({"format": 1, "config": Evil()}, checkpoint)
        for content in (checkpoint.read_bytes(), b"", b"PK\\x03\\x04 and then nothing"):
            checkpoint.write_bytes(content)
            with contextlib.redirect_stderr(sys.stdout):
                print("exit code", train.main())
        """,
        tmp_path,
    )
    assert printed.count("cannot be read as a checkpoint") == 3, printed
    assert printed.count("exit code 2\n") == 3, printed
    assert "Traceback" not in printed
    assert set(contents(tmp_path)) == {"checkpoint.pt"}


# More than one process ----------------------------------------------------------------------------


def assert_same_curve(one: list[dict], two: list[dict]) -> None:
    """Both runs tell 30 epochs, with the same losses but for rounding."""
    assert len(one) == len(two) == 30
    for a, b in zip(one, two, strict=True):
        assert abs(a["loss"] - b["loss"]) < 1e-4, (a, b)
        assert abs(a["test_loss"] - b["test_loss"]) < 1e-4, (a, b)


def test_two_processes_follow_the_loss_curve_of_one(default, train, tmp_path: Path) -> None:
    done = train(tmp_path, NPROC="2")
    assert_same_curve(rows(default[1]), rows(done.stdout))
    assert metrics(tmp_path)["processes"] == 2


KILL_SECOND_WORKER = """
import os, pathlib, signal
for path in pathlib.Path("/proc").glob("[0-9]*/environ"):
    if b"\\0LOCAL_RANK=1\\0" in b"\\0" + path.read_bytes() + b"\\0":
        os.kill(int(path.parent.name), signal.SIGKILL)
        print("killed")
"""


def test_killed_worker_is_restarted_and_the_run_completes(
    image: str, run, default, tmp_path: Path
) -> None:
    container = run(image, options=options(tmp_path, {"NPROC": "2"}))
    container.wait_until(lambda: len(rows(container.logs())) >= 2)
    assert container.exec("python", "-c", KILL_SECOND_WORKER).stdout == "killed\n"
    assert container.wait(timeout=180) == 0, container.logs()
    assert "resuming after step" in container.logs()
    # An epoch that was not saved before the kill is told twice.
    told = {row["epoch"]: row for row in rows(container.logs())}
    assert_same_curve(rows(default[1]), list(told.values()))


def test_sigterm_stops_all_processes_and_one_process_goes_on(
    image: str, run, train, default, tmp_path: Path
) -> None:
    container = run(image, options=options(tmp_path, {"NPROC": "2"}))
    container.wait_until(lambda: len(rows(container.logs())) >= 2)
    container.kill("TERM")
    assert container.wait() == 0, container.logs()
    assert "resume with the same command" in container.logs()
    assert "Traceback" not in container.logs()
    finished = train(tmp_path)
    assert abs(rows(finished.stdout)[-1]["loss"] - rows(default[1])[-1]["loss"]) < 1e-4


def test_cluster_of_two_containers_trains_one_model(compose: Callable[..., Compose]) -> None:
    project = compose("gpu-train", EPOCHS="2")
    done = project(
        "--profile", "cluster", "up", "--build", "--no-color", "node0", "node1", timeout=300
    )
    containers = [*project.containers("node0"), *project.containers("node1")]
    assert [one.inspect()["State"]["ExitCode"] for one in containers] == [0, 0], done.stdout
    assert metrics(project.folder)["processes"] == 2
    network = docker("network", "inspect", f"{project.project}_cluster").stdout
    assert json.loads(network)[0]["Internal"] is True


# Bad input ----------------------------------------------------------------------------------------

# Runs every case in one interpreter: importing PyTorch is the slow part.
DRIVER = """
import contextlib, io, json, os, sys
import numpy as np
import train

def arrays(shape=(100, 8, 8), classes=2):
    rng = np.random.default_rng(0)
    return {"x": rng.normal(size=shape), "y": np.arange(shape[0]) % classes}

good = arrays()
with_nan = good["x"].copy(); with_nan[17, 3, 3] = np.nan
files = {
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
for name, content in files.items():
    np.savez(f"/tmp/{name}.npz", **content)
open("/tmp/text.npz", "w").write("age,income")
results = {}
for name, env in json.loads(sys.argv[1]).items():
    said = io.StringIO()
    kept = dict(os.environ)
    os.environ.update(env)
    with contextlib.redirect_stderr(said):
        code = train.main()
    os.environ.clear(); os.environ.update(kept)
    results[name] = [code, said.getvalue(), sorted(os.listdir("outputs"))]
print(json.dumps(results))
"""

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


def outcomes(image: str, folder: Path, cases: dict[str, dict[str, str]]) -> dict[str, list]:
    """Train with each case's environment; return exit code, standard error and files in outputs/."""
    command = ("python", "-c", DRIVER, json.dumps(cases))
    done = docker("run", "--rm", *options(folder, {}), image, *command)
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def answers(image: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list]:
    """The outcome of every bad case."""
    cases = {name: env for name, (env, _says) in BAD.items()}
    return outcomes(image, tmp_path_factory.mktemp("bad"), cases)


@pytest.mark.parametrize("name", BAD)
def test_bad_input_gets_one_clear_line(answers, name: str) -> None:
    code, said, files = answers[name]
    lines = [line for line in said.splitlines() if not line.startswith("device: ")]
    assert code == 2, said
    assert len(lines) == 1, said
    assert re.match(f"error: .*{BAD[name][1]}", lines[0]), said
    assert "model.safetensors" not in files


def test_outputs_that_cannot_be_written(train, tmp_path: Path) -> None:
    (tmp_path / "outputs").mkdir(mode=0o755)
    done = train(tmp_path, check=False, uid=54321)
    assert done.returncode == 2
    assert "user id 54321 may not write to /app/outputs" in done.stderr
    assert len(done.stderr.splitlines()) == 1


OUT_OF_MEMORY = """
import resource, sys
import train
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 1_000_000_000,) * 2)
sys.exit(train.main())
"""


def test_out_of_memory_suggests_a_batch_size(image: str, tmp_path: Path) -> None:
    env = {"DATA_PATH": "synthetic:2000", "BATCH_SIZE": "2000"}
    done = docker(
        "run", "--rm", *options(tmp_path, env), image, "python", "-c", OUT_OF_MEMORY, check=False
    )
    assert done.returncode == 2, done.stderr
    assert "error: out of memory with BATCH_SIZE=2000: give BATCH_SIZE=1000" in done.stderr
    assert "Traceback" not in done.stderr


# Where it runs ------------------------------------------------------------------------------------


def test_image_holds_the_cpu_build(python) -> None:
    assert python("import torch; print(torch.version.cuda)") == "None\n"


def test_threads_follow_the_cpu_limit(default, short, python) -> None:
    assert (metrics(default[0])["threads"], metrics(short[0])["threads"]) == (1, 2)
    printed = python(
        """
        import os
        from pathlib import Path
        from device import cpu_limit
        os.sched_getaffinity = lambda _pid: set(range(64))
        def limit(name, **files):
            for file, text in files.items():
                path = Path("/tmp") / name / file.replace("__", "/").replace("_dot_", ".")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            return cpu_limit(Path("/tmp") / name)
        v1 = {"cpu__cpu_dot_cfs_period_us": "100000"}
        print([
            limit("v2", cpu_dot_max="250000 100000"),
            limit("v2half", cpu_dot_max="50000 100000"),
            limit("v2free", cpu_dot_max="max 100000"),
            limit("v1", cpu__cpu_dot_cfs_quota_us="300000", **v1),
            limit("v1free", cpu__cpu_dot_cfs_quota_us="-1", **v1),
            limit("none"),
        ])
        """
    )
    assert json.loads(printed) == [2, 1, 64, 3, 64, 64]


def test_streamed_batches_are_those_in_memory(python) -> None:
    """The way of data that do not fit into a GPU's memory, through worker processes."""
    printed = python(
        """
        import torch
        from data import Feeder, load, plan
        images = load("digits", 42, 64).train
        order = plan(len(images), 64, 42, 1).order.unbind()
        device = torch.device("cpu")
        one = list(Feeder(images, device, 2, resident=True).batches(order))
        two = list(Feeder(images, device, 2, resident=False).batches(order))
        assert len(one) == len(two) == 22
        same = all(torch.equal(a, c) and torch.equal(b, d) for (a, b), (c, d) in zip(one, two))
        print(same)
        """
    )
    assert printed == "True\n"


def test_compile_falls_back_with_a_line_where_there_is_no_compiler(short) -> None:
    folder, stderr = short
    assert stderr.count("COMPILE=1 does not work here, training without it: ") == 1
    assert metrics(folder)["epochs"] == 1


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


# Which device, said by make -----------------------------------------------------------------------


def shell(script: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", f"set -euo pipefail\n{script}"],
        cwd=ROOT, env={**os.environ, **env}, capture_output=True, text=True, check=True,
    )  # fmt: skip


def test_gpu_base_is_not_fetched_beforehand() -> None:
    listed = shell(". setup/lib.sh; . setup/images.sh; base_images gpu-train").stdout.split()
    assert listed == ["python:3.11-slim"]


def fake_docker(folder: Path, info: str, run: str) -> dict[str, str]:
    """A `docker` that answers as an engine of another machine would."""
    command = folder / "docker"
    command.write_text(
        f"#!/bin/sh\ncase $1 in info) echo '{info}' ;; run) {run} ;; image) exit 0 ;; esac\n"
    )
    command.chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}"}


@pytest.mark.parametrize(
    ("info", "run", "env", "files", "reason"),
    [
        ('{"Runtimes": {"runc": {}}}', "false", {}, "", "on the CPU: no NVIDIA runtime"),
        (
            '{"Runtimes": {"nvidia": {}}}',
            "echo no adapters were found >&2; exit 125",
            {},
            "",
            "on the CPU: the engine has the NVIDIA runtime but hands over no GPU: no adapters",
        ),
        ('{"Runtimes": {"nvidia": {}}}', "true", {"DEVICE": "cpu"}, "", "on the CPU: DEVICE=cpu"),
        (
            '{"Runtimes": {"nvidia": {}}}',
            "echo /dev/nvidia0",
            {},
            "-f gpu-train/compose.yaml -f gpu-train/compose.gpu.yaml\n",
            "on the GPU: Docker hands over /dev/nvidia0",
        ),
        (
            '{"Runtimes": {}, "DiscoveredDevices": [{"ID": "nvidia.com/gpu=all"}]}',
            "echo /dev/dxg",
            {},
            "-f gpu-train/compose.yaml -f gpu-train/compose.gpu.yaml\n",
            "on the GPU: Docker hands over /dev/dxg",
        ),
    ],
)
def test_device_is_chosen_and_the_reason_said(
    tmp_path: Path, info: str, run: str, env: dict[str, str], files: str, reason: str
) -> None:
    done = shell("setup/lab4.sh", **fake_docker(tmp_path, info, run), **env)
    assert done.stdout == files
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith(f"lab4: training {reason}")


def test_gpu_compose_file_asks_for_gpus_in_the_gpu_stage() -> None:
    override = yaml.safe_load((ROOT / "gpu-train/compose.gpu.yaml").read_text())["services"]
    for service in ("train", "node0", "node1"):
        assert override[service]["build"]["target"] == "gpu"
        (device,) = override[service]["deploy"]["resources"]["reservations"]["devices"]
        assert device == {"driver": "nvidia", "count": "all", "capabilities": ["gpu"]}
