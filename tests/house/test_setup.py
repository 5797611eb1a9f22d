"""`make` lists its targets; base images are found, pulled or stood in for."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from machine import SOURCES, calls
from repository import ROOT

pytest_plugins = ["machine_fixtures"]


def test_make_lists_every_target_with_one_line_each() -> None:
    shown = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    listed = re.findall(r"^make (\S+) +\S", shown, flags=re.MULTILINE)
    targets = re.findall(r"^([a-z0-9%-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    internal = {"ready-%", "venv"}
    assert sorted(listed) == sorted(set(targets) - internal)
    assert max(map(len, shown.splitlines())) <= 80


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


def test_no_stand_in_where_a_download_breaks_off(machine, tmp_path: Path) -> None:
    said = "echo 3.13-slim: Pulling from library/python; echo 'unexpected EOF' >&2; exit 1"
    script = SOURCES + "ensure_standin_base() { :; }; ensure_image python:3.13-slim"
    done = machine(script, {"docker": docker_stub(said)})
    assert done.returncode == 1
    assert "python:3.13-slim broke off" in done.stderr
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


@pytest.mark.parametrize(
    ("system", "index", "source"),
    [
        (
            "debian 13",
            "http://mirror/debian trixie-updates main",
            "http://mirror/debian bookworm-updates",
        ),
        ("debian ", "http://mirror/debian sid main", "http://mirror/debian bookworm"),
        ("debian 13", "http://mirror/docker stable main", ""),
        (
            "ubuntu 24.04",
            "http://mirror/ubuntu noble main",
            "http://deb.debian.org/debian bookworm",
        ),
    ],
)
def test_stand_ins_take_their_packages_from_a_mirror_that_has_debian(
    machine, system: str, index: str, source: str
) -> None:
    script = f"os_release() {{ echo '{system}'; }}; codename() {{ echo trixie; }}; "
    done = machine(SOURCES + script + "debian_sources bookworm", {"apt-get": f"echo '{index}'"})
    key = "[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]"
    assert done.stdout.strip() == (f"deb {key} {source} main" if source else "")


def test_a_minimal_system_gets_what_the_browser_driver_needs(machine, tmp_path: Path) -> None:
    stubs = {
        "ldconfig": "echo 'libc.so.6'",
        "chromium": "",
        "apt-get": "",
        "sudo": 'shift; exec "$@"',
    }
    done = machine("setup/chromium.sh", stubs)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == f"{tmp_path}/bin/chromium"
    assert "libatomic1" in calls(tmp_path)


def test_a_release_has_the_notes_of_its_section(tmp_path: Path, machine) -> None:
    (tmp_path / "setup").mkdir()
    for name in ("release-notes.sh", "lib.sh"):
        shutil.copy(ROOT / "setup" / name, tmp_path / "setup")
    (tmp_path / "CHANGELOG.md").write_text("# C\n\n## 1.1.0\n\n- new\n\n## 1.0.0\n\n- first\n")
    script = f"{tmp_path}/setup/release-notes.sh"
    assert machine(f"{script} 1.1.0", {}).stdout.strip() == "- new"
    assert machine(f"{script} 1.0.0", {}).stdout.strip() == "- first"
    missing = machine(f"{script} 2.0.0", {})
    assert missing.returncode == 1
    assert missing.stderr == "error: CHANGELOG.md has no section '## 2.0.0'\n"
