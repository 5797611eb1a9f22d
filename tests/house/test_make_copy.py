"""`make copy`: which names, places and files it takes, and what it says of where the copy comes from."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from copier import PRIVATE, plant_private_files
from repository import LABS, ROOT, copy_of_git


def make_copy(checkout: Path, lab: str, to: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", "copy", f"LAB={lab}", f"TO={to}"],
        cwd=checkout, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """The repository as one downloads it: without git."""
    folder = tmp_path / "archive"
    for name in ("Makefile", "setup", "LICENSE", *LABS):
        copy_of_git(name, folder)
    return folder


@pytest.mark.parametrize(
    ("name", "project"),
    [
        ("my-job", "my-job"),
        ("My Project #1 & co", "my-project-1-co"),
        ("it's $HOME\\\"`x`", "it-s-home-x"),
        ("_-Ärger", "rger"),
        ("проект", "batch-job-copy"),
        ("new-batch-job-and-batch-cleaner", "new-batch-job-and-batch-cleaner"),
        ("a_-b__._c", "a-b-c"),
        ("trailing//", "trailing"),
    ],
)
def test_any_folder_name_will_do(archive: Path, tmp_path: Path, name: str, project: str) -> None:
    done = make_copy(archive, "batch-job", f"../{name}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1:] == [f"its project and images are named {project}"]
    copy = tmp_path / name
    assert (copy / "compose.yaml").read_text().startswith(f"name: {project}\n")
    assert f"docker build -t {project} .\n" in (copy / "README.md").read_text()


def test_a_copy_says_once_where_it_comes_from(archive: Path, lab: str, tmp_path: Path) -> None:
    assert make_copy(archive, lab, "../mine").returncode == 0
    *lines, origin = (tmp_path / "mine/README.md").read_text().splitlines()
    assert re.fullmatch(f'Started from {lab} of "Docker labs for ML .+", version .+', origin)
    others = "|".join(LABS)
    for path in (tmp_path / "mine").glob("*/*.md"):
        lines += path.read_text().splitlines()
    for line in lines:
        assert not re.search(rf"repository|`make|\bmake lab|benchmarks/|[Ll]ab \d|{others}", line)
    for path in (tmp_path / "mine").rglob("*"):
        if path.is_file() and ".git" not in path.parts:
            assert b"docker-labs-for-ml" not in path.read_bytes(), path


def test_a_copy_holds_nothing_private(archive: Path, lab: str, tmp_path: Path) -> None:
    plant_private_files(archive / lab)
    assert make_copy(archive, lab, "../from-archive").returncode == 0
    git = ["git", "-C", str(archive)]
    subprocess.run([*git, "init", "--quiet"], check=True)
    subprocess.run([*git, "add", "--all"], check=True)
    (archive / lab / "keys.py").write_text("")
    assert make_copy(archive, lab, "../from-git").returncode == 0
    held = {path.name for path in (archive / lab).rglob("*")}
    for copy in (tmp_path / "from-archive", tmp_path / "from-git"):
        assert [name for name in PRIVATE if (copy / name).exists()] == []
        assert {path.name for path in copy.iterdir()} > held & {"README.md", ".gitignore"}
    assert not (tmp_path / "from-git/keys.py").exists()


def test_a_copy_is_a_git_repository_under_the_new_name(archive: Path, tmp_path: Path) -> None:
    assert make_copy(archive, "batch-job", "../tidy-up").returncode == 0
    git = ["git", "-C", str(tmp_path / "tidy-up"), "ls-files"]
    held = subprocess.run(git, capture_output=True, text=True, check=True).stdout.split()
    assert {"Dockerfile", "compose.yaml", "README.md", "LICENSE", ".gitignore"} <= set(held)
    assert ".github/workflows/test.yml" in held
    texts = {name: (tmp_path / "tidy-up" / name).read_text() for name in held}
    lines = [line for text in texts.values() for line in text.splitlines()]
    assert [line for line in lines if "batch-" in line and "Started from" not in line] == []


def test_what_is_there_is_never_written_to(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("keep me")
    for lab, to, said in [
        ("nothing", "../x", "there is no lab 'nothing'"),
        ("", "../x", "usage: make copy"),
        ("batch-job", "", "usage: make copy"),
        ("batch-job", "../full", "../full is there and not empty"),
    ]:
        done = make_copy(archive, lab, to)
        assert done.returncode != 0
        assert done.stderr.startswith(f"error: {said}")
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["mine.txt"]
    assert not (tmp_path / "x").exists()


def test_a_place_inside_the_repository_is_refused(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(archive)
    for to in ("mine", "a/b/c", "../archive/mine", "../link/mine", ".", str(archive / "mine")):
        done = make_copy(archive, "batch-job", to)
        assert done.stderr.startswith(f"error: {to} is inside this repository"), to
    assert not [path for path in ("mine", "a") if (archive / path).exists()]


def test_the_lock_names_the_command_that_remakes_it(lab: str) -> None:
    (command,) = re.findall(
        r"^docker build .*lock\.Dockerfile.*$", (ROOT / lab / "README.md").read_text(), re.MULTILINE
    )
    for source in (ROOT / lab).rglob("requirements*.in"):
        locked = source.with_suffix(".txt").read_text().splitlines()
        # A folder beside the lab's own files may have one that is nearer.
        near = next(path for path in source.parents if (path / "lock.Dockerfile").exists())
        file = (near / "lock.Dockerfile").relative_to(ROOT / lab)
        assert locked[1] == f"#    {command.replace('lock.Dockerfile', str(file))}", source


def test_the_lock_is_made_by_the_uv_that_installs_it(lab: str) -> None:
    files = [*(ROOT / lab).rglob("Dockerfile*"), *(ROOT / lab).rglob("*Dockerfile")]
    versions = {
        uv
        for path in files
        for uv in re.findall(r"^RUN pip .*uv==(\S+)", path.read_text(), re.MULTILINE)
    }
    assert len(versions) == 1
