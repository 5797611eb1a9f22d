"""`make clean` removes what the labs made, and nothing of a person's own: the labs' files, a copy's image and volume."""

from __future__ import annotations

import os
import re
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from docker_cli import PROJECT_LABEL, PROJECT_PREFIX, docker
from repository import LABS, ROOT, copy_of_git
from terminal import Terminal

VENDOR = "org.opencontainers.image.vendor=docker-labs-for-ml"
SERVICE_MARKS = ("service=old", "oneoff=False", "config-hash=none", "container-number=1")
REFUSAL = (
    "error: make clean asks before it removes, and here is no terminal to ask on: "
    "'YES=1 make clean' does not ask"
)


def lines_of(lab: str) -> list[str]:
    text = (ROOT / lab / ".cleanup").read_text()
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def files_of(lab: str) -> list[str]:
    return [line.split()[0] for line in lines_of(lab) if not line.startswith("volume ")]


def volumes_of(lab: str) -> dict[str, str]:
    """What each volume holds, in a word, by its name."""
    lines = [line.split(maxsplit=2) for line in lines_of(lab) if line.startswith("volume ")]
    return {name: words for _, name, words in lines}


def folders_in_readme(lab: Path) -> set[Path]:
    """The folders of a lab that its README names, and the lab's own."""
    named = re.findall(r"[\w./-]+/", (lab / "README.md").read_text())
    paths = {(lab / name).resolve() for name in named}
    return {lab, *(path for path in paths if path.is_dir() and lab in path.parents)}


@dataclass(frozen=True)
class Checkout:
    """A copy of the repository after its labs have run, as one compose project with images named after it."""

    root: Path
    project: str

    @property
    def env(self) -> dict[str, str]:
        env = {key: value for key, value in os.environ.items() if key != "YES"}
        return {**env, "COMPOSE_PROJECT_NAME": self.project}

    def clean(self, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["make", "--no-print-directory", "clean"],
            cwd=self.root, env={**self.env, **env}, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    def clean_on_a_terminal(self, answer: str) -> str:
        """Run it with a terminal where `answer` is typed; return what the terminal showed."""
        terminal = Terminal("make", "--no-print-directory", "clean", cwd=self.root, env=self.env)
        terminal.type(f"{answer}\n")
        assert terminal.wait(timeout=120) == 0, terminal.shown
        return terminal.shown

    def made(self) -> set[Path]:
        return {self.root / lab / name for lab in LABS for name in files_of(lab)}

    def images(self) -> set[str]:
        filter = f"reference={self.project}*"
        listed = docker("image", "ls", "--filter", filter, "--format", "{{.Repository}}")
        return set(listed.stdout.split())

    def left(self, kind: str) -> list[str]:
        label = f"label={PROJECT_LABEL}={self.project}"
        every = ["--all"] if kind == "container" else []
        return docker(kind, "ls", "--quiet", *every, "--filter", label).stdout.split()


def make_image(folder: Path, name: str) -> None:
    (folder / "Dockerfile").write_text(f'FROM scratch\nLABEL {VENDOR} of="{name}"\nCOPY . /\n')
    docker("build", "--quiet", "--tag", name, str(folder))


def make_volume(project: str, name: str) -> str:
    labels = {PROJECT_LABEL: project, "com.docker.compose.volume": name}
    options = [word for label, value in labels.items() for word in ("--label", f"{label}={value}")]
    return docker("volume", "create", *options, f"{project}_{name}").stdout.strip()


def built_images(checkout: Checkout) -> set[str]:
    """The names of the images that compose builds, for the CPU, for the GPU, for production and a cluster."""
    names = set()
    for lab in LABS:
        folder = checkout.root / lab
        for beside in (
            "compose.yaml", "compose.gpu.yaml", "production/compose.yaml", "cluster/compose.yaml",
        ):  # fmt: skip
            more = ["-f", beside] if beside != "compose.yaml" else []
            if (folder / beside).exists():
                config = docker(
                    "compose", "--profile", "*", "-f", "compose.yaml", *more, "config",
                    cwd=folder, env=checkout.env,
                )  # fmt: skip
                services = yaml.safe_load(config.stdout)["services"].items()
                names |= {
                    it.get("image", f"{checkout.project}-{name}")
                    for name, it in services
                    if "build" in it
                }
    return names


@pytest.fixture
def project(engine: None) -> Iterator[str]:
    project = PROJECT_PREFIX + uuid.uuid4().hex[:8]
    yield project
    docker("compose", "-p", project, "down", "--volumes", "--remove-orphans", check=False)
    if images := Checkout(Path(), project).images():
        docker("image", "rm", *images)


@pytest.fixture
def checkout(project: str, tmp_path: Path) -> Checkout:
    """Everything that a run of each lab leaves, without the runs."""
    root = tmp_path / "checkout"
    for name in ("Makefile", "setup", ".gitignore", *LABS):
        copy_of_git(name, root)
    for file in root.rglob("compose*.yaml"):
        # Whatever the file calls an image that it builds, here it is the project's.
        text = re.sub(
            r"^( +image: )([\w-]+)$", rf"\1{project}-\2", file.read_text(), flags=re.MULTILINE
        )
        file.write_text(text)
    checkout = Checkout(root, project)
    for path in checkout.made():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("made by a lab")
    raw = root / "batch-job" / "data" / "raw.csv"
    raw.write_bytes((root / "batch-job" / "sample.csv").read_bytes())
    (raw.parent / ".clean.csv.part").write_text("made by a run that was killed")

    context = tmp_path / "image"
    context.mkdir()
    for lab in LABS:
        for name in volumes_of(lab):
            make_volume(project, name)
    for name in built_images(checkout):
        make_image(context, name)
    docker("network", "create", "--label", f"{PROJECT_LABEL}={project}", f"{project}_extra")
    # As one that compose made for a service that is no longer in the file.
    marks = (f"{PROJECT_LABEL}={project}", *(f"com.docker.compose.{it}" for it in SERVICE_MARKS))
    labels = [word for mark in marks for word in ("--label", mark)]
    docker("create", *labels, next(iter(checkout.images())), "/none")
    git = ["git", "-C", str(root), "-c", "user.name=me", "-c", "user.email=me@example.invalid"]
    for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "-m", "all"]):
        subprocess.run([*git, *command], check=True)
    return checkout


def modes(paths: set[Path]) -> dict[Path, int]:
    return {path: path.stat().st_mode for path in paths if path.exists()}


@pytest.fixture
def own(checkout: Checkout) -> dict[Path, int]:
    """The modes of a person's own files: of each kind one in every folder that a README mentions."""
    names = ["people.csv", "mine.npz", "keys.py", "patients.txt", "model.joblib", ".env"]
    paths = {
        folder / name
        for lab in LABS
        for folder in folders_in_readme(checkout.root / lab)
        for name in names
    }
    paths |= {checkout.root / lab / ".secrets" / "mine" for lab in LABS}
    # A learner's exercises.
    paths |= {checkout.root / "work" / name for name in ("progress.json", "run/run.sh")}
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("# mine\n")
        path.chmod(0o600)
    return modes(paths)


@pytest.fixture
def copied(project: str, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The image and the volume of a project that somebody made from a lab."""
    copy = PROJECT_PREFIX + uuid.uuid4().hex[:8]
    folder = tmp_path / "copied"
    folder.mkdir()
    make_image(folder, f"{copy}-job")
    yield f"{copy}-job", make_volume(copy, "db_data")
    docker("image", "rm", f"{copy}-job", check=False)
    docker("volume", "rm", f"{copy}_db_data", check=False)


def test_what_the_labs_made_goes_and_all_else_stays(
    checkout: Checkout, own: dict[Path, int], copied: tuple[str, str]
) -> None:
    assert len(checkout.images()) >= 8
    done = checkout.clean(YES="1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert modes(set(own)) == own
    assert {path for path in checkout.made() if path.exists()} == set()
    assert not (checkout.root / "batch-job/data/.clean.csv.part").exists()
    assert checkout.images() == set()
    assert {kind: checkout.left(kind) for kind in ("container", "network", "volume")} == {
        "container": [], "network": [], "volume": [],
    }  # fmt: skip
    for kind, name in zip(("image", "volume"), copied, strict=True):
        docker(kind, "inspect", name)
    held = subprocess.run(
        ["git", "-C", str(checkout.root), "ls-files", "--deleted"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert held.stdout == ""
    assert "nothing here" in checkout.clean(YES="1").stdout


def test_input_of_ones_own_under_the_name_of_the_sample_stays(checkout: Checkout) -> None:
    raw = checkout.root / "batch-job" / "data" / "raw.csv"
    raw.write_bytes(raw.read_bytes() + b"44,50000,0\n")
    assert checkout.clean(YES="1").returncode == 0
    assert raw.exists()


def test_without_a_terminal_it_refuses_in_one_line(checkout: Checkout) -> None:
    done = checkout.clean()
    assert done.returncode != 0
    assert done.stdout == ""
    assert done.stderr.splitlines()[0] == REFUSAL
    assert len(done.stderr.splitlines()) == 2  # the second is make's own
    assert all(path.exists() for path in checkout.made())
    assert checkout.left("volume")


def test_on_a_terminal_it_lists_and_asks(checkout: Checkout) -> None:
    images = checkout.images()
    for answer in ("n", ""):
        shown = checkout.clean_on_a_terminal(answer)
        assert "nothing was removed" in shown
        assert all(path.exists() for path in checkout.made())
        assert checkout.images() == images
        assert checkout.left("volume")
    listed = [line.strip() for line in shown.splitlines()]
    for path in checkout.made():
        assert f"file {path.relative_to(checkout.root)}" in listed
    for image in images:
        assert f"image {image}" in listed
    for lab in LABS:
        for name, words in volumes_of(lab).items():
            assert f"volume {checkout.project}_{name} ({words})" in listed
    assert "recorded predictions" in shown
    assert "MLflow runs" in shown

    checkout.clean_on_a_terminal("y")
    assert {path for path in checkout.made() if path.exists()} == set()
    assert checkout.images() == set()
    assert checkout.left("volume") == []


def test_every_volume_of_a_lab_is_named_with_what_it_holds(lab: str) -> None:
    declared = {
        name
        for file in (ROOT / lab).rglob("*.yaml")
        for name in (yaml.safe_load(re.sub(r"!\w+", "", file.read_text())) or {}).get("volumes", ())
    }
    assert set(volumes_of(lab)) == declared


def test_no_file_that_git_holds_is_named(lab: str) -> None:
    held = subprocess.run(
        ["git", "ls-files", *files_of(lab)], cwd=ROOT / lab, capture_output=True, text=True, check=True
    ).stdout.split()  # fmt: skip
    assert held == []
