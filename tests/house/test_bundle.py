"""A class without a network: with the bundle, every lab builds and runs on an engine that reaches nothing."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from claims import claim, images_of
from docker_cli import docker
from inside import program
from offline import OfflineEngine, offline_engine
from repository import LABS, ROOT, copy_of_git, target_of

# What a lab prints when it has worked; of a lab that is not here, that `make` does not fail.
RESULTS = {
    "batch-job": r"clean +95\b",
    "ds-lab": r"http://127\.0\.0\.1:8888/lab\?token=\w+",
    "ml-prod-demo": r"(?s)Test accuracy: 0\.967.*setosa",
    "gpu-train": r'"accuracy": 0\.\d',
    "mlflow-flask": r'(?s)champion: version 2.*"prediction": "yes".*"source": "registry"',
}


@dataclass(frozen=True)
class Classroom:
    """A clone of the repository on a machine whose engine has nothing but what the bundle held."""

    folder: Path
    engine: OfflineEngine

    def make(self, *arguments: str, **env: str) -> str:
        return self.engine.run("make", *arguments, cwd=self.folder, **env)

    def get(self, url: str) -> str:
        """Return the HTTP status of the URL, asked for inside the namespace."""
        ask = program("http_status.py")
        return self.engine.run(sys.executable, "-c", ask, url, cwd=self.folder).strip()


def clone(folder: Path) -> None:
    """A clone as another umask makes it, here 002, and without what setup has put there."""
    for part in ("Makefile", "README.md", "CONTRIBUTING.md", "docs", "setup", "exercises", *LABS):
        copy_of_git(part, folder)
    for wheel in folder.glob("*/wheels/*.whl"):
        wheel.unlink()
    for path in [folder, *folder.rglob("*")]:
        path.chmod(path.stat().st_mode | 0o020)
    for command in (["init", "--quiet"], ["add", "--all"]):
        subprocess.run(["git", "-C", str(folder), *command], check=True)


def save(bundle: Path, *labs: str) -> str:
    # Alone: the images that it makes carry the cache that others build without.
    with claim(*images_of(*labs)):
        done = subprocess.run(
            ["setup/offline/bundle.sh", "save", str(bundle), *labs],
            cwd=ROOT, capture_output=True, text=True, timeout=1200, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def classroom(engine: None) -> Iterator[Classroom]:
    compressed = "zst" if shutil.which("zstd") else "gz"
    with claim("second engine"), offline_engine() as offline:
        bundle = offline.folder / f"labs.tar.{compressed}"
        classroom = Classroom(offline.folder / "classroom", offline)
        clone(classroom.folder)
        started = time.monotonic()
        save(bundle, *LABS, "setup/course", "exercises")
        saved = time.monotonic()
        classroom.make("load", f"BUNDLE={bundle}")
        print(
            f"bundle: {bundle.stat().st_size / 1e6:.0f} MB, saved in {saved - started:.0f} s, "
            f"loaded in {time.monotonic() - saved:.0f} s"
        )
        bundle.unlink()
        yield classroom


@pytest.fixture
def make(classroom: Classroom) -> Iterator[Callable[..., str]]:
    yield classroom.make
    classroom.make("down")


@pytest.mark.parametrize("offline_lab", LABS)
def test_the_lab_works_offline(
    offline_lab: str, classroom: Classroom, make: Callable[..., str]
) -> None:
    printed = make(target_of(offline_lab), EPOCHS="1")
    assert re.search(RESULTS.get(offline_lab, ""), printed), printed
    for page in re.findall(r"JupyterLab: (\S+)", printed):
        assert classroom.get(page) == "200"


def test_lab_3_works_offline_with_all_its_services(
    classroom: Classroom, make: Callable[..., str]
) -> None:
    assert "setosa" in make("lab3-full")
    assert classroom.get("http://127.0.0.1:8000/predictions?limit=1") == "200"
    assert classroom.get("http://127.0.0.1:9090/-/ready") == "200"


def test_the_course_opens_offline(classroom: Classroom, make: Callable[..., str]) -> None:
    assert "site: http://127.0.0.1:8080\n" in make("course")
    assert classroom.get("http://127.0.0.1:8080/docs/classroom.html") == "200"


@pytest.mark.parametrize("id", ["run", "first-image", "prometheus"])
def test_an_exercise_is_checked_offline(id: str, classroom: Classroom, make) -> None:
    make("learn", f"EX={id}")
    solution = ROOT / "exercises" / id / "solution"
    shutil.copytree(solution, classroom.folder / "work" / id, dirs_exist_ok=True)
    assert "  Passed." in make("check", f"EX={id}")


def test_an_edit_builds_offline(classroom: Classroom, make: Callable[..., str]) -> None:
    """The installed packages came with the bundle."""
    rules = classroom.folder / "batch-job" / "rules.py"
    limits = "AGE_MIN, AGE_MAX = {}, 80"
    assert limits.format(18) in rules.read_text()
    rules.write_text(rules.read_text().replace(limits.format(18), limits.format(30)))
    assert "age is out of range 30-80" in make("lab1")


def test_images_are_listed_with_what_they_are_on_disk(make: Callable[..., str]) -> None:
    rows = make("images").splitlines()
    assert len(rows) >= 6
    for row in rows:
        assert re.fullmatch(r"\S+:\S+ +here, [1-9]\d* MB on disk", row)
        assert len(row) <= 80


def test_only_files_that_git_holds_get_another_mode(tmp_path: Path) -> None:
    clone(tmp_path)
    held = tmp_path / "batch-job" / "requirements.txt"
    own = [tmp_path / "batch-job" / name for name in ("patients.txt", "keys.py", "data/people.txt")]
    own += [tmp_path / "gpu-train" / "wheels" / "mine.whl"]
    for path in own:
        path.write_text("mine")
        path.chmod(0o600)
    (script,) = (ROOT / "setup").rglob("carry.sh")
    command = f". {script}; same_modes batch-job; same_modes gpu-train"
    subprocess.run(["bash", "-euc", command], cwd=tmp_path, check=True)
    assert held.stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "gpu-train" / "wheels").stat().st_mode & 0o777 == 0o755
    assert {path.stat().st_mode & 0o777 for path in own} == {0o600}


def test_a_bundle_named_gz_is_gzip(engine: None, tmp_path: Path) -> None:
    bundle = tmp_path / "labs.tar.gz"
    printed = save(bundle, "batch-job")
    assert bundle.read_bytes()[:2] == b"\x1f\x8b"
    assert f"in {-(-bundle.stat().st_size // 2**20)} MB" in printed
    assert list(tmp_path.iterdir()) == [bundle]
    assert "batch-job-job" in docker("load", "--input", str(bundle)).stdout
    bundle.unlink()


def test_without_zstd_a_bundle_named_zst_is_refused_in_one_line(tmp_path: Path) -> None:
    for tool in ("bash", "dirname", "basename"):
        (tmp_path / tool).symlink_to(shutil.which(tool) or tool)
    done = subprocess.run(
        [tmp_path / "bash", "setup/offline/bundle.sh", "save", "labs.tar.zst", "batch-job"],
        cwd=ROOT, env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == (
        "error: this machine has no zstd: install it, or name the file labs.tar.gz\n"
    )
