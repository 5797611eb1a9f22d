"""Somebody who follows a document: not root, under a random uid, in an empty folder."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docker_cli import PROJECT_LABEL, PROJECT_PREFIX, docker, images_of_compose
from posture import violations_of_project
from readme import Step, run_steps


@dataclass(frozen=True)
class Newcomer:
    """Somebody with a folder, a home, the right to use Docker, and nothing else."""

    folder: Path
    uid: int
    gid: int
    project: str

    def start(
        self, *command: str, folder: Path, log: Path, env: dict[str, str]
    ) -> subprocess.Popen:
        """Start a command as them, in a process group of its own; what it prints goes to `log`."""
        with open(log, "w") as output:
            return subprocess.Popen(
                command, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True, **self.identity,
            )  # fmt: skip

    @property
    def identity(self) -> dict[str, Any]:
        """Arguments of subprocess.Popen that make a command theirs; only root can hand one over."""
        mine = os.getuid() != 0
        return {} if mine else {"user": self.uid, "group": self.gid, "extra_groups": []}

    @property
    def env(self) -> dict[str, str]:
        return {**os.environ, "HOME": str(self.folder), "COMPOSE_PROJECT_NAME": self.project}

    def owns(self, path: Path) -> bool:
        return path.lstat().st_uid == self.uid

    def take(self, folder: Path) -> None:
        for path in [folder, *folder.rglob("*")]:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def follow(self, steps: list[Step], folder: Path, timeout: float, **env: str) -> None:
        self.take(self.folder)
        env = {**self.env, **env}
        run_steps(steps, folder, env, timeout, self.identity, after_each=self.check_posture)

    def check_posture(self) -> None:
        assert violations_of_project(self.project) == []

    def left(self, kind: str) -> list[str]:
        """Names of the `container`s, `network`s or `volume`s of the project that are still there."""
        every = ["--all"] if kind == "container" else []
        label = f"label={PROJECT_LABEL}={self.project}"
        return docker(kind, "ls", "--quiet", *every, "--filter", label).stdout.split()

    def leave(self) -> None:
        docker("compose", "-p", self.project, "down", "--volumes", "--remove-orphans", check=False)
        if built := images_of_compose(self.project):
            docker("image", "rm", "--force", *built, check=False)


@contextmanager
def a_newcomer() -> Iterator[Newcomer]:
    """Somebody new, whose folder and project are gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="labs-newcomer-"))
    project = PROJECT_PREFIX + uuid.uuid4().hex[:8]
    if os.getuid() == 0:
        # The group of the socket is what lets a user of Docker in.
        uid, gid = random.randint(1000, 65536), os.stat("/var/run/docker.sock").st_gid
    else:
        uid, gid = os.getuid(), os.getgid()
    newcomer = Newcomer(folder, uid, gid, project)
    yield newcomer
    newcomer.leave()
    shutil.rmtree(folder)
