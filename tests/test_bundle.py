"""A class without a network: the bundle makes a lab build and run on an engine that reaches nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import ROOT, copy_of_git
from docker_cli import wait_until

AS_ROOT = [] if os.getuid() == 0 else ["sudo", "-n"]
NAMESPACE = "labs-offline"


@dataclass(frozen=True)
class OfflineEngine:
    """A second Docker engine in a network namespace of its own that has no interface but loopback."""

    folder: Path

    @property
    def env(self) -> dict[str, str]:
        return {**os.environ, "DOCKER_HOST": f"unix://{self.folder}/docker.sock"}

    def run(self, *command: str, cwd: Path) -> str:
        """Run a command in the namespace, against this engine; return what it printed."""
        inside = ["nsenter", f"--net=/run/netns/{NAMESPACE}", *command]
        done = subprocess.run(
            inside, cwd=cwd, env=self.env, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}\n{self.log()}"
        return done.stdout

    def answers(self) -> bool:
        asked = ["docker", "info", "--format", "{{.ServerVersion}}"]
        return subprocess.run(asked, env=self.env, capture_output=True, check=False).returncode == 0

    def log(self) -> str:
        return "\n".join((self.folder / "log").read_text().splitlines()[-20:])


@pytest.fixture
def offline(engine: None) -> Iterator[OfflineEngine]:
    # A socket's path has to be short, pytest's folders are not.
    folder = Path(tempfile.mkdtemp(prefix="labs-"))
    offline = OfflineEngine(folder)
    subprocess.run([*AS_ROOT, "ip", "netns", "delete", NAMESPACE], capture_output=True, check=False)
    subprocess.run([*AS_ROOT, "ip", "netns", "add", NAMESPACE], check=True)
    enter = [*AS_ROOT, "nsenter", f"--net=/run/netns/{NAMESPACE}"]
    subprocess.run([*enter, "ip", "link", "set", "lo", "up"], check=True)
    with open(folder / "log", "w") as log:
        daemon = subprocess.Popen(
            [
                *enter, "dockerd", "--host", f"unix://{folder}/docker.sock", "--data-root", f"{folder}/data",
                "--exec-root", f"{folder}/exec", "--pidfile", f"{folder}/pid",
            ],
            stdout=log, stderr=log, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    try:
        wait_until(lambda: offline.answers() or daemon.poll() is not None, 60, offline.log)
        assert offline.answers(), offline.log()
        yield offline
    finally:
        subprocess.run([*AS_ROOT, "kill", str(daemon.pid)], check=False)
        daemon.wait(timeout=60)
        subprocess.run([*AS_ROOT, "ip", "netns", "delete", NAMESPACE], check=True)
        # An engine that did not come up leaves its folder mounted on itself.
        subprocess.run(
            [*AS_ROOT, "umount", "--lazy", str(folder / "data")], capture_output=True, check=False
        )
        subprocess.run([*AS_ROOT, "rm", "-rf", str(folder)], check=True)


def test_a_lab_builds_and_runs_offline_from_the_bundle(
    offline: OfflineEngine, tmp_path: Path
) -> None:
    bundle = tmp_path / "labs.tar.gz"
    subprocess.run(["setup/bundle.sh", "save", str(bundle), "batch-job"], cwd=ROOT, check=True)

    classroom = tmp_path / "classroom"
    copy_of_git("batch-job", classroom)
    shutil.copytree(ROOT / "setup", classroom / "setup")
    shutil.copy(ROOT / "Makefile", classroom / "Makefile")
    offline.run("make", "load", f"BUNDLE={bundle}", cwd=classroom)
    printed = offline.run("make", "lab1", cwd=classroom)
    assert "clean                           95" in printed

    # A learner's edit builds as well: the installed packages came with the bundle.
    rules = classroom / "batch-job" / "rules.py"
    rules.write_text(
        rules.read_text().replace("AGE_MIN, AGE_MAX = 18, 80", "AGE_MIN, AGE_MAX = 30, 80")
    )
    printed = offline.run("make", "lab1", cwd=classroom)
    assert "age is out of range 30-80" in printed
