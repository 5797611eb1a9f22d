"""Lab 4: several processes, and several containers, train one model."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from docker_cli import Compose, docker
from gpu_train_runs import Finished, contents, metrics, options, rows

pytest_plugins = ["gpu_train_fixtures"]


def assert_same_curve(one: list[dict], two: list[dict]) -> None:
    """Both runs tell 30 epochs, with the same losses but for rounding."""
    assert len(one) == len(two) == 30
    for a, b in zip(one, two, strict=True):
        assert abs(a["loss"] - b["loss"]) < 1e-4, (a, b)
        assert abs(a["test_loss"] - b["test_loss"]) < 1e-4, (a, b)


def test_two_processes_follow_the_loss_curve_of_one(
    default: Finished, train, tmp_path: Path
) -> None:
    done = train(tmp_path, NPROC="2")
    assert_same_curve(rows(default.stdout), rows(done.stdout))
    assert metrics(tmp_path)["processes"] == 2


def test_killed_worker_is_restarted_and_the_run_completes(
    image: str, run, default: Finished, tmp_path: Path
) -> None:
    container = run(image, options=options(tmp_path, {"NPROC": "2"}))
    container.wait_until(lambda: len(rows(container.logs())) >= 2)
    killer = container.exec("python", "/inside/gpu_train_kill_second_worker.py")
    assert killer.stdout == "killed\n"
    assert container.wait(timeout=180) == 0, container.logs()
    assert "resuming after step" in container.logs()
    # An epoch that was not saved before the kill is told twice.
    told = {row["epoch"]: row for row in rows(container.logs())}
    assert_same_curve(rows(default.stdout), list(told.values()))


def test_sigterm_stops_all_processes_and_one_process_goes_on(
    image: str, run, train, default: Finished, tmp_path: Path
) -> None:
    container = run(image, options=options(tmp_path, {"NPROC": "2"}))
    container.wait_until(lambda: len(rows(container.logs())) >= 2)
    container.kill("TERM")
    assert container.wait() == 0, container.logs()
    assert "resume with the same command" in container.logs()
    assert "Traceback" not in container.logs()
    finished = train(tmp_path)
    # That of the epoch in which it stopped, too: part of it is of two processes, and the rest of one.
    assert_same_curve(rows(default.stdout), rows(container.logs()) + rows(finished.stdout))


@pytest.mark.parametrize("checkpoint", ["of another run", "of nobody"])
def test_foreign_checkpoint_is_refused_once(
    default: Finished, train, tmp_path: Path, checkpoint: str
) -> None:
    """By the process that starts the others, and not by each of them, four times over."""
    (tmp_path / "outputs").mkdir()
    content = contents(default.folder)["checkpoint.pt"] if checkpoint == "of another run" else b""
    (tmp_path / "outputs/checkpoint.pt").write_bytes(content)
    done = train(tmp_path, check=False, NPROC="2", LR="0.5")
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: outputs/checkpoint.pt ")
    assert set(contents(tmp_path)) == {"checkpoint.pt"}


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
