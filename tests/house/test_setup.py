"""setup/ on machines unlike this one: stub programs stand for the docker, uname and apt of such a machine."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from repository import ROOT

SOURCES = "set -euo pipefail; . setup/lib.sh; . setup/engine.sh; . setup/images.sh; "
NO_ENGINE = "echo 'Cannot connect to the Docker daemon' >&2; exit 1"


@pytest.fixture
def machine(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """`machine(script, docker="exit 1", LABS_NO_INSTALL="1")` runs a script where `docker` is that stub.

    Every stub notes its calls in the file `calls`, so that a test can say what was not called.
    """

    def run(script: str, stubs: dict[str, str], **env: str) -> subprocess.CompletedProcess[str]:
        for name, body in stubs.items():
            stub = tmp_path / "bin" / name
            stub.parent.mkdir(exist_ok=True)
            stub.write_text(f'#!/bin/sh\necho "{name} $*" >>"{tmp_path}/calls"\n{body}\n')
            stub.chmod(0o755)
        path = f"{tmp_path}/bin:{os.environ['PATH']}"
        return subprocess.run(
            ["bash", "-c", script],
            cwd=ROOT, env={**os.environ, "PATH": path, "TMPDIR": str(tmp_path), **env},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    return run


def calls(tmp_path: Path) -> str:
    noted = tmp_path / "calls"
    return noted.read_text() if noted.exists() else ""


def test_make_lists_every_target_with_one_line_each() -> None:
    shown = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    listed = re.findall(r"^make (\S+) +\S", shown, flags=re.MULTILINE)
    targets = re.findall(r"^([a-z0-9%-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    internal = {"ready-%", "venv"}
    assert sorted(listed) == sorted(set(targets) - internal)
    assert max(map(len, shown.splitlines())) <= 80


@pytest.mark.parametrize(
    "release", ["debian 12", "debian 13", "ubuntu 22.04", "ubuntu 24.04", "fedora 42", "debian 11"]
)
def test_packages_are_known_for_supported_releases_only(machine, release: str) -> None:
    done = machine(SOURCES + f"engine_packages {release}", {})
    supported = release not in {"fedora 42", "debian 11"}
    assert (done.returncode == 0) is supported
    assert ("docker.io" in done.stdout) is supported


def test_no_engine_on_macos_names_docker_desktop(machine, tmp_path: Path) -> None:
    done = machine(
        "setup/ready.sh batch-job",
        {"docker": NO_ENGINE, "uname": "echo Darwin", "apt-get": "", "dockerd": ""},
    )
    assert done.returncode == 1
    assert "Docker Desktop" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "apt-get" not in calls(tmp_path)
    assert "dockerd" not in calls(tmp_path)


def test_labs_no_install_refuses_and_says_what_to_do(machine, tmp_path: Path) -> None:
    stubs = {"docker": NO_ENGINE, "apt-get": "", "dockerd": ""}
    done = machine("setup/ready.sh batch-job", stubs, LABS_NO_INSTALL="1")
    assert done.returncode == 1
    assert "LABS_NO_INSTALL" in done.stderr
    assert "https://" in done.stderr
    assert "apt-get" not in calls(tmp_path)
    assert "dockerd" not in calls(tmp_path)


def test_without_root_or_sudo_nothing_is_installed(machine, tmp_path: Path) -> None:
    stubs = {"docker": NO_ENGINE, "id": "echo 1000", "sudo": "exit 1", "apt-get": "", "dockerd": ""}
    done = machine("setup/ready.sh batch-job", stubs)
    assert done.returncode == 1
    assert "no Docker engine" in done.stderr
    assert "apt-get" not in calls(tmp_path)


def test_an_engine_that_dies_at_start_shows_its_log(machine, tmp_path: Path) -> None:
    stubs = {
        "docker": NO_ENGINE,
        "dockerd": "echo 'failed to mount overlay: boom' >&2; exit 1",
        "systemctl": "exit 1",
        "journalctl": "echo 'failed to mount overlay: boom'",
        "sudo": 'shift; exec "$@"',
    }
    done = machine(SOURCES + f"DOCKER_LOG={tmp_path}/log; start_engine", stubs)
    assert done.returncode == 1
    assert "failed to mount overlay: boom" in done.stderr
    assert "does not answer" in done.stderr


def test_base_images_are_those_from_elsewhere(machine, tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    (lab / "serve").mkdir(parents=True)
    (lab / "Dockerfile").write_text(
        "FROM --platform=linux/amd64 python:3.13-slim AS build\nFROM build AS test\nFROM scratch\n"
        "from debian:trixie-slim as final\n"
    )
    (lab / "serve" / "Dockerfile").write_text("FROM python:3.13-slim\nCOPY --from=0 / /\n")
    (lab / "compose.yaml").write_text(
        "services:\n  api:\n    image: ours\n  db:\n    image: postgres:17\n"
    )
    done = machine(SOURCES + f"base_images {lab}", {})
    assert done.stdout.split() == ["debian:trixie-slim", "postgres:17", "python:3.13-slim"]


def docker_stub(pull: str) -> str:
    """A docker without images whose `pull` runs this and whose `build` succeeds."""
    return f'case "$1" in image) exit 1 ;; pull) {pull} ;; *) exit 0 ;; esac'


def test_a_stand_in_is_built_where_no_registry_answers(machine, tmp_path: Path) -> None:
    no_route = "echo 'dial tcp: lookup registry.invalid: no such host' >&2; exit 1"
    script = SOURCES + "ensure_standin_base() { :; }; ensure_image python:3.13-slim"
    done = machine(script, {"docker": docker_stub(no_route)})
    assert done.returncode == 0, done.stderr
    assert "stand-in for python:3.13-slim" in done.stdout
    assert "--label labs.standin=python:3.13-slim" in calls(tmp_path)


@pytest.mark.parametrize(
    "answer", ["toomanyrequests: You have reached your pull rate limit", "manifest unknown"]
)
def test_no_stand_in_where_the_registry_answers(machine, tmp_path: Path, answer: str) -> None:
    stub = docker_stub(f"echo '{answer}' >&2; exit 1")
    done = machine(SOURCES + "ensure_image python:3.13-slim", {"docker": stub})
    assert done.returncode == 1
    assert answer in done.stderr
    assert "docker build" not in calls(tmp_path)


def test_no_stand_in_when_the_pull_succeeds(machine, tmp_path: Path) -> None:
    stub = docker_stub("echo 3.13-slim: Pulling from library/python")
    done = machine(SOURCES + "ensure_image python:3.13-slim", {"docker": stub})
    assert done.returncode == 0, done.stderr
    assert "docker build" not in calls(tmp_path)


def test_an_image_that_is_present_is_left_alone(machine, tmp_path: Path) -> None:
    done = machine(SOURCES + "ensure_image python:3.13-slim", {"docker": "exit 0"})
    assert done.returncode == 0
    assert done.stdout == ""
    assert calls(tmp_path).splitlines() == ["docker image inspect python:3.13-slim"]


def test_an_image_without_a_stand_in_is_named(machine) -> None:
    stub = docker_stub("echo 'no such host' >&2; exit 1")
    done = machine(SOURCES + "ensure_image nobody/knows:1", {"docker": stub})
    assert done.returncode == 1
    assert "nobody/knows:1" in done.stderr


def test_pip_settings_of_the_host_reach_the_stand_in_without_its_folders(machine) -> None:
    settings = (
        "global.index-url='https://mirror.invalid/simple'\n"
        ":env:.find-links='/some/folder https://mirror.invalid/wheels'\n"
        "global.trusted-host='mirror.invalid'"
    )
    done = machine(
        SOURCES + ". setup/offline/pip-settings.sh; pip_conf; uv_toml",
        {"python3": f'cat <<"END"\n{settings}\nEND'},
    )
    assert done.returncode == 0, done.stderr
    assert "index-url = https://mirror.invalid/simple\n" in done.stdout
    assert 'index-url = "https://mirror.invalid/simple"\n' in done.stdout
    assert 'find-links = ["https://mirror.invalid/wheels"]\n' in done.stdout
    assert 'allow-insecure-host = ["mirror.invalid"]\n' in done.stdout
    assert "/some/folder" not in done.stdout


def test_doctor_tells_every_fact(machine) -> None:
    done = machine("setup/doctor.sh", {"docker": NO_ENGINE}, LABS_NO_INSTALL="1")
    assert done.returncode == 1
    facts = re.findall(r"^[✓✗·] ((?:port )?\S+)", done.stdout, flags=re.MULTILINE)
    ports = [f"port {port}" for port in (8000, 8888, 9090, 5000, 5001)]
    assert facts == ["engine", "compose", "buildx", "disk", *ports, "gpu"]
