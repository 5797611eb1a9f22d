"""Lab 4: a run that was interrupted goes on, and nothing foreign is taken for its own."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from gpu_train_runs import (
    OUTPUTS,
    Finished,
    contents,
    metrics,
    options,
    outcomes,
    rows,
    weights,
)
from repository import ROOT

pytest_plugins = ["gpu_train_fixtures"]


@pytest.mark.parametrize("signal", ["TERM", "KILL"])
def test_resumed_run_ends_with_the_weights_of_an_uninterrupted_one(
    image: str, run, train, default: Finished, tmp_path: Path, signal: str
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
    assert weights(tmp_path) == weights(default.folder)
    assert set(contents(tmp_path)) == OUTPUTS, "no half-written file is left"


def test_finished_run_is_not_repeated(default: Finished, train, tmp_path: Path) -> None:
    copy_outputs(default.folder, tmp_path)
    done = train(tmp_path)
    assert rows(done.stdout) == []
    assert "already trained; move outputs/checkpoint.pt away to train anew" in done.stderr
    assert weights(tmp_path) == weights(default.folder)


def copy_outputs(of: Path, to: Path) -> None:
    (to / "outputs").mkdir()
    for name, content in contents(of).items():
        (to / "outputs" / name).write_bytes(content)


OTHER_SETTINGS = {
    "LR was 0.008, is 0.5": {"LR": "0.5"},
    "EPOCHS was 30, is 31; SEED was 42, is 7": {"EPOCHS": "31", "SEED": "7"},
    "DATA_PATH was digits, is synthetic:64": {"DATA_PATH": "synthetic:64"},
}


def test_checkpoint_of_another_configuration_is_refused(inside, default: Finished) -> None:
    before = contents(default.folder)
    for says, (code, said, _files) in outcomes(inside, default.folder, OTHER_SETTINGS).items():
        assert code == 2
        assert says in said
        assert said.count("error: ") == 1
    assert contents(default.folder) == before


SHA256 = hashlib.sha256((ROOT / "gpu-train/model.py").read_bytes()).hexdigest()[:12]
REMEDY = "move outputs/checkpoint.pt away to start anew"
UNREADABLE = f"error: outputs/checkpoint.pt cannot be read as a checkpoint: {REMEDY}"
FOREIGN = {
    "runs code": UNREADABLE,
    "empty": UNREADABLE,
    "half an archive": UNREADABLE,
    "a list": f"error: outputs/checkpoint.pt is not a checkpoint of this program: {REMEDY}",
    "no config": f"error: outputs/checkpoint.pt does not say which settings it was made with: {REMEDY}",
    "no model": f"error: outputs/checkpoint.pt does not fit the network in model.py: {REMEDY}",
    "another network": f"error: outputs/checkpoint.pt does not fit the network in model.py: {REMEDY}",
    "edited": f"error: outputs/checkpoint.pt is of another run: model.py's sha256 was 0, is {SHA256}. Set it back, or {REMEDY}",
}


@pytest.fixture(scope="module")
def foreign(inside, default: Finished, tmp_path_factory: pytest.TempPathFactory) -> dict:
    """For each kind of foreign checkpoint: exit code, what was said, files in outputs/."""
    folder = tmp_path_factory.mktemp("foreign")
    copy_outputs(default.folder, folder)
    return json.loads(inside("gpu_train_foreign_checkpoints.py", folder=folder).splitlines()[-1])


@pytest.mark.parametrize("kind", FOREIGN)
def test_foreign_checkpoint_is_refused_in_one_line_and_runs_no_code(foreign, kind: str) -> None:
    code, said, files = foreign[kind]
    assert said == FOREIGN[kind] + "\n"
    assert code == 2
    assert set(files) == OUTPUTS


def test_second_run_on_one_folder_is_refused(image: str, run, train, tmp_path: Path) -> None:
    first = run(image, options=options(tmp_path, {"EPOCHS": "100000"}))
    first.wait_until(lambda: rows(first.logs()))
    second = train(tmp_path, check=False, EPOCHS="100000")
    assert second.returncode == 2, second.stderr
    (line,) = second.stderr.splitlines()
    assert line.startswith("error: another run is writing to outputs/: wait for its end")
    assert first.is_running()
    first.kill("KILL")
    first.wait()
    assert train(tmp_path, check=False, EPOCHS="1").stderr.count("is of another run") == 1


def test_part_that_another_user_left_does_not_stop_a_run(train, tmp_path: Path) -> None:
    part = leave_part(tmp_path, mode=0o777)
    train(tmp_path, EPOCHS="1", uid=54321)
    assert metrics(tmp_path)["epochs"] == 1
    assert not part.exists()


def test_part_that_cannot_be_removed_is_one_line(train, tmp_path: Path) -> None:
    """As in /tmp: everybody may write there, and nobody may remove what is another's."""
    leave_part(tmp_path, mode=0o1777)
    done = train(tmp_path, check=False, EPOCHS="1", uid=54321)
    assert done.returncode == 2, done.stderr
    assert done.stderr.splitlines()[-1] == (
        "error: outputs/checkpoint.pt was not written: Operation not permitted: "
        "remove outputs/.checkpoint.pt.part"
    )
    assert "Traceback" not in done.stderr


def leave_part(folder: Path, mode: int) -> Path:
    """A file of its own, in a folder of the mode given: both belong to who runs the tests, or to root where that is who."""
    (folder / "outputs").mkdir()
    part = folder / "outputs/.checkpoint.pt.part"
    part.write_bytes(b"half")
    part.chmod(0o644)
    (folder / "outputs").chmod(mode)
    return part


def test_outputs_that_cannot_be_written(train, tmp_path: Path) -> None:
    (tmp_path / "outputs").mkdir(mode=0o755)
    done = train(tmp_path, check=False, uid=54321)
    assert done.returncode == 2
    assert "user id 54321 may not write to /app/outputs" in done.stderr
    assert len(done.stderr.splitlines()) == 1
