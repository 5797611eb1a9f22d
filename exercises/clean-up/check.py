"""A project's leftovers go, its neighbour's stay. What could take anything else never reaches Docker: see guard.py."""

import os
import shlex
import shutil
import sys
from pathlib import Path

from learn.bench import Bench

TITLE = "Clean up after one project, and nobody else"
MINUTES = 8
HINTS = (
    "docs/commands.md, section What prune takes: a filter keeps a prune to what bears a label. Lists take the same filter.",
    "Containers first: an image is in use as long as a stopped container is there. Then images, then volumes.",
    "Without --all, docker image prune takes only images that have no name, and docker volume prune only volumes that have none.",
)
MUST_SAY = {
    "start": "the stopped container is still there",
    "wrong-system-prune": "that is everybody's",
    "wrong-all-stopped": "belongs to somebody else",
    "wrong-by-name": "-api-done belongs to somebody else",
    "wrong-dangling-only": "the image with a name is still there",
    "wrong-anonymous-only": "the volume is still there",
    "wrong-running-too": "-web still runs",
}
read = "docs/commands.md#what-prune-takes"


def check(bench: Bench) -> None:
    project = bench.new_name()
    for who in (project, f"{project}-api"):  # the neighbour's name begins alike
        make(bench, who)
    nameless = commit(bench, project)
    try:
        check_script(bench, project, nameless)
    finally:
        bench.docker("image", "rm", "--force", nameless)


def check_script(bench: Bench, project: str, nameless: str) -> None:
    notes = guard(bench, project)
    # Whoever goes round the guard, by way of /usr/bin/docker say, finds no engine.
    path, nowhere = f"{notes.parent}{os.pathsep}{os.environ['PATH']}", "tcp://127.0.0.1:1"
    env = {"PROJECT": project, "PATH": path, "DOCKER_HOST": nowhere}
    done = bench.command("sh", "clean.sh", env=env)
    stopped = notes.read_text().splitlines() if notes.exists() else []
    bench.expect(
        not stopped, "No command would take what is not a leftover of the project",
        did="PROJECT=... sh clean.sh", seen=(stopped or [""])[0], expected="only the project's leftovers are named",
        why="a command without a filter works on the whole machine, and names may begin alike", read=read,
    )  # fmt: skip
    leftovers = {
        "the stopped container": f"{project}-done",
        "the image with a name": f"{project}-old",
        "the image without a name": nameless,
        "the volume": f"{project}-unused",
    }
    left = [f"{what} is still there" for what, name in leftovers.items() if bench.inspect(name)]
    bench.expect(
        not left, "All leftovers of the project are gone",
        did="PROJECT=... sh clean.sh", seen="\n".join(left) + (f"\n{done.seen}" if done.code else ""), expected="none of them is there",
        why="what is in use stays; and to some prunes, what has a name is in use", read=read,
    )  # fmt: skip
    other = f"{project}-api"
    stays = [f"{who}-{what}" for who in (project, other) for what in ("web", "current", "data")]
    stays += [f"{other}-{what}" for what in ("done", "old", "unused")]
    gone = [name for name in stays if not bench.inspect(name)]
    bench.expect(
        not gone and bench.running(f"{project}-web"), "What runs is there, and what is the neighbour's",
        did="PROJECT=... sh clean.sh", seen=", ".join(gone) or "the service was stopped", expected="all of it is there",
        why="what is removed cannot be had back: Docker has no waste-paper basket", read=read,
    )  # fmt: skip


def make(bench: Bench, project: str) -> None:
    """A service that runs with its image and volume, and leftovers: a container, its image, a volume."""
    label = f"--label=project={project}"
    for volume in ("data", "unused"):
        bench.docker("volume", "create", label, f"{project}-{volume}")
    for image in ("current", "old"):
        commit(bench, project, f"{project}-{image}")
    web = ["--detach", "--name", f"{project}-web", "--volume", f"{project}-data:/data"]
    bench.docker("run", label, *web, f"{project}-current", "sleep", "600")
    bench.docker("run", label, "--name", f"{project}-done", f"{project}-old", "true")


def commit(bench: Bench, project: str, *name: str) -> str:
    """An image of the project, and its id."""
    of = bench.new_name()
    bench.docker("create", "--name", of, "python:3.13-slim")
    return bench.docker("commit", "--change", f"LABEL project={project}", of, *name).out.strip()


def guard(bench: Bench, project: str) -> Path:
    """Put guard.py in Docker's place, and return the file for its notes."""
    folder = bench.folder / "guard"
    folder.mkdir()
    docker, python = shutil.which("docker"), Path(__file__).with_name("guard.py")
    words = [sys.executable, python, docker, project, folder / "notes"]
    host = os.environ.get("DOCKER_HOST")
    engine = f"export DOCKER_HOST={shlex.quote(host)}" if host else "unset DOCKER_HOST"
    guarded = f"{engine}\nexec {' '.join(shlex.quote(str(word)) for word in words)}"
    for name, command in (("docker", guarded), ("sudo", "exec")):
        (folder / name).write_bytes(f'#!/bin/sh\n{command} "$@"\n'.encode())
        (folder / name).chmod(0o755)
    return folder / "notes"
