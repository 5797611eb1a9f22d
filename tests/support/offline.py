"""A second Docker engine in a network namespace of its own that has no interface but loopback.

It keeps images in the store that the first one does not have: what is carried has to work from each to the other.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from docker_cli import docker, wait_until
from privileges import AS_ROOT, need_root_on_linux

NAMESPACE = "labs-offline"
INSIDE = [*AS_ROOT, "nsenter", f"--net=/run/netns/{NAMESPACE}"]

# One place for everything, short because a socket's path has to be: what a killed run left is found again.
FOLDER = Path(tempfile.gettempdir()) / "labs-offline"

# GiB that the bundle, what it is unpacked to on the way and the images take, and that a machine has to have for it.
ROOM = 14
PLENTY = 17


@dataclass(frozen=True)
class OfflineEngine:
    folder: Path

    @property
    def env(self) -> dict[str, str]:
        return {**os.environ, "DOCKER_HOST": f"unix://{self.folder}/docker.sock"}

    def run(self, *command: str, cwd: Path, **env: str) -> str:
        """Run a command in the namespace, as the caller, against this engine; return what it printed.

        Raises AssertionError with that, and with the engine's log, when the command fails.
        """
        me = [f"--setuid={os.getuid()}", f"--setgid={os.getgid()}"]
        settings = [f"{name}={value}" for name, value in {**self.env, **env}.items()]
        done = subprocess.run(
            [*INSIDE, *me, "--", "env", "-i", *settings, *command],
            cwd=cwd, capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}\n{self.log()}"
        return done.stdout

    def answers(self) -> bool:
        asked = ["docker", "info", "--format", "{{.ServerVersion}}"]
        return subprocess.run(asked, env=self.env, capture_output=True, check=False).returncode == 0

    def log(self) -> str:
        return "\n".join((self.folder / "log").read_text().splitlines()[-20:])


@contextlib.contextmanager
def offline_engine() -> Iterator[OfflineEngine]:
    """Start the engine; stop it and remove all it held, whatever happens."""
    need_root_on_linux()
    remove()
    make_folder()
    engine = OfflineEngine(FOLDER)
    subprocess.run([*AS_ROOT, "ip", "netns", "add", NAMESPACE], check=True)
    try:
        subprocess.run([*INSIDE, "ip", "link", "set", "lo", "up"], check=True)
        daemon = start_daemon(FOLDER)
        wait_until(lambda: engine.answers() or daemon.poll() is not None, 60, engine.log)
        assert engine.answers(), engine.log()
        yield engine
    finally:
        remove()


def make_folder() -> None:
    FOLDER.mkdir()
    # In memory where there is plenty: many gigabytes come and go, and a busy disk holds up every container.
    if memory_available() >= PLENTY:
        options = f"size={ROOM}g,uid={os.getuid()},gid={os.getgid()},mode=755"
        mount = [*AS_ROOT, "mount", "-t", "tmpfs", "-o", options, "tmpfs", str(FOLDER)]
        subprocess.run(mount, check=True)


def memory_available() -> float:
    """GiB of memory that could be had without swapping."""
    (kibibytes,) = re.findall(
        r"^MemAvailable: +(\d+)", Path("/proc/meminfo").read_text(), re.MULTILINE
    )
    return int(kibibytes) / 2**20


def has_containerd_store() -> bool:
    status = docker("info", "--format", "{{json .DriverStatus}}").stdout
    return "io.containerd.snapshotter" in status


# A containerd of the machine's own has the images of others: hidden, the engine starts one for itself.
HIDE_CONTAINERD = "[ ! -d /run/containerd ] || mount -t tmpfs tmpfs /run/containerd"


def start_daemon(folder: Path) -> subprocess.Popen[bytes]:
    features = {"features": {"containerd-snapshotter": not has_containerd_store()}}
    (folder / "daemon.json").write_text(json.dumps(features))
    alone = ["unshare", "--mount", "sh", "-c", f'{HIDE_CONTAINERD}; exec "$@"', "sh"]
    with open(folder / "log", "w") as log:
        return subprocess.Popen(
            [
                *INSIDE, *alone, "dockerd", "--config-file", f"{folder}/daemon.json",
                "--host", f"unix://{folder}/docker.sock", "--group", str(os.getgid()),
                "--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec",
                "--pidfile", f"{folder}/pid",
            ],
            stdout=log, stderr=log, stdin=subprocess.DEVNULL,
        )  # fmt: skip


def remove() -> None:
    """Stop the engine, also that of a run which was killed, and remove its folder and namespace."""
    if daemon := running_daemon():
        subprocess.run([*AS_ROOT, "kill", str(daemon)], check=True)
        # It stops its containers first.
        wait_until(lambda: running_daemon() is None, 90, lambda: (FOLDER / "log").read_text())
    for mount in mounts_in(FOLDER):
        subprocess.run([*AS_ROOT, "umount", "--lazy", mount], check=True)
    subprocess.run([*AS_ROOT, "rm", "-rf", str(FOLDER)], check=True)
    if Path("/run/netns", NAMESPACE).exists():
        subprocess.run([*AS_ROOT, "ip", "netns", "delete", NAMESPACE], check=True)


def running_daemon() -> int | None:
    """The process id of this folder's engine, None when it does not run."""
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = process.read_bytes().decode(errors="replace").split("\0")
            if Path(words[0]).name == "dockerd" and f"{FOLDER}/pid" in words:
                return int(process.parent.name)
    return None


def mounts_in(folder: Path) -> list[str]:
    """Mount points in the folder, the innermost first, and it if it is one. An engine that was killed leaves them."""
    points = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    return [point for point in reversed(points) if f"{point}/".startswith(f"{folder}/")]
