"""An exercise as it lies on disk: its texts, what the learner gets, and the function that checks it."""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
from dataclasses import dataclass, fields
from fnmatch import fnmatch
from pathlib import Path
from typing import Callable

from learn.bench import Bench, CannotCheck, run_command
from learn.wheels import make_wheel

EXERCISES = Path(__file__).resolve().parent.parent
ROOT = EXERCISES.parent


@dataclass(frozen=True)
class Exercise:
    """What check.py says, in lower case. `must_say` tells of `start` and of each near miss what its refusal says."""

    id: str
    check: Callable[[Bench], None]
    title: str
    minutes: int
    hints: tuple[str, str, str]
    must_say: dict[str, str]
    images: tuple[str, ...] = ("python:3.13-slim",)
    lab: str = ""  # the lab that the learner gets a copy of
    wheels: tuple[str, ...] = ()  # folders of packages/ that lie as wheels in the learner's wheels/
    slow: str = ""  # what takes long, said before the check begins

    @property
    def folder(self) -> Path:
        return EXERCISES / self.id

    @property
    def readme(self) -> str:
        return (self.folder / "README.md").read_text(encoding="utf-8")

    def variants(self, kind: str) -> list[str]:
        """The folders that begin with `kind`: solution, wrong."""
        return sorted(path.name for path in self.folder.glob(f"{kind}*"))

    def version(self) -> str:
        """Changes with what the learner gets and with the check."""
        files = [self.folder / "README.md", self.folder / "check.py"]
        files += sorted(path for path in (self.folder / "start").rglob("*") if path.is_file())
        return hashlib.sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()[:16]

    def lay_out(self, to: Path, variant: str = "start") -> None:
        """Write what the learner gets into `to`; a variant is laid over it, file by file."""
        if self.lab:
            copy_lab(self.lab, to)
        for name in ("start", variant):
            if (self.folder / name).is_dir():
                shutil.copytree(self.folder / name, to, dirs_exist_ok=True)
        for name in self.wheels:
            make_wheel(EXERCISES / "packages" / name, to / "wheels")


def copy_lab(lab: str, to: Path) -> None:
    """Copy what git holds of a lab; without git, all but what its .gitignore files name."""
    try:
        listed = run_command("git", "ls-files", "-z", lab, folder=ROOT).out
    except CannotCheck:  # git is not installed
        listed = ""
    # Git holds no wheels: setup puts them there where no index hands them out.
    wheels = [path.relative_to(ROOT).as_posix() for path in (ROOT / lab).glob("wheels/*.whl")]
    for name in listed.split("\0")[:-1] + wheels:
        target = to / Path(name).relative_to(lab)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target)
    if not listed:
        shutil.copytree(ROOT / lab, to, ignore=ignored, dirs_exist_ok=True)


def ignored(folder: str, names: list[str]) -> set[str]:
    """Return which of the names .gitignore leaves out: that of the folder, or of one above it in the lab."""
    found: set[str] = set()
    at = Path(folder)
    while at != ROOT:
        below = {name: (Path(folder) / name).relative_to(at).as_posix() for name in names}
        rules = at / ".gitignore"
        for line in rules.read_text(encoding="utf-8").splitlines() if rules.is_file() else ():
            rule = line.strip().lstrip("!").rstrip("/")
            hit = {name for name in names if fnmatch(below[name] if "/" in rule else name, rule)}
            found = found - hit if line.startswith("!") else found | hit
        at = at.parent
    return found


def read_order() -> list[str]:
    """The ids in the order of the course."""
    lines = (EXERCISES / "order.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def load(id: str) -> Exercise:
    """Read `<id>/check.py`. Raises LookupError when there is no such exercise."""
    path = EXERCISES / id / "check.py"
    spec = importlib.util.spec_from_file_location("check", path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise LookupError(f"there is no exercise '{id}': make progress lists them")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    said = {name.lower(): value for name, value in vars(module).items() if name.isupper()}
    known = {field.name for field in fields(Exercise)}
    return Exercise(id, module.check, **{name: said[name] for name in known & said.keys()})
