"""Lab 2 with a package more: locked for good, or tried out in a notebook."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from docker_cli import Compose, docker, free_port
from inside import program
from posture import violations_of_project


def make_token(lab: Path) -> None:
    """Write a token the way the README does, readable by any uid that a test runs as."""
    (lab / ".secrets").mkdir()
    (lab / ".secrets" / "jupyter_token").write_text(secrets.token_hex(24) + "\n")


def test_packages_can_be_added_for_good_and_tried_out(compose: Callable[..., Compose]) -> None:
    """In the lab copied out, with the posture of its compose file.

    Trying out takes one kernel, no restart, and compiled code: a folder on Python's path, and executable.
    """
    uid = str(os.getuid() or 1000)
    project = compose("ds-lab", PORT=str(free_port()), HOST_UID=uid, HOST_GID=uid)
    make_token(project.folder)
    (project.folder / "notebooks").chmod(0o777)

    source = project.folder / "requirements.in"
    source.write_text(source.read_text() + "humanize\n")
    docker("build", "--file", "lock.Dockerfile", "--output", ".", ".", cwd=project.folder)
    project.up("--build")
    container = project.container("jupyter")
    code = "import humanize; print(humanize.naturalsize(680e6))"
    assert container.exec("python", "-c", code).stdout == "680.0 MB\n"
    cells = ["%pip install --quiet regex", "import regex; print(regex.__file__, 6 * 7)"]
    said = container.exec("python", "-c", program("ds_lab_cells.py"), *cells).stdout
    assert "/tmp/.local/lib/python3.13/site-packages/regex/" in said
    assert "42" in said
    assert violations_of_project(project.project) == []
