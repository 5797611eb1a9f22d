"""Which engine is used, installed, started or left alone, on machines unlike this one."""

from __future__ import annotations

import platform
import subprocess
from pathlib import Path

import pytest
from machine import NO_ENGINE, SOURCES, calls

pytest_plugins = ["machine_fixtures"]
pytestmark = pytest.mark.skipif(
    platform.system() != "Linux", reason="needs Linux: no engine is installed or started elsewhere"
)

# A user who may become root without a password; stubs see AS_ROOT then.
USER = {
    "id": 'case "$1" in -un) echo learner ;; *) echo 1000 ;; esac',
    "sudo": 'shift; AS_ROOT=1 exec "$@"',
}
# What changes a machine. They only note that they were called.
CHANGES = {"apt-get": "", "dockerd": "", "systemctl": "", "usermod": "", "chgrp": ""}
FOR_ROOT = '[ -n "${AS_ROOT:-}" ] && echo 28.0.0 && exit; echo "permission denied" >&2; exit 1'


def assert_one_line_and_no_change(done: subprocess.CompletedProcess[str], tmp_path: Path) -> None:
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1, done.stderr
    called = {line.split()[0] for line in calls(tmp_path).splitlines()}
    assert not called & set(CHANGES)


@pytest.mark.parametrize(
    "release",
    ["debian 12", "debian 13", "debian", "ubuntu 22.04", "ubuntu 24.04", "fedora 42", "debian 11"],
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
    (tmp_path / "log").write_text("from an earlier start\n")
    script = f"DOCKER_LOG={tmp_path}/log; DOCKER_PID={tmp_path}/pid; SYSTEMD=/none; start_engine"
    done = machine(SOURCES + script, stubs)
    assert done.returncode == 1
    assert "failed to mount overlay: boom" in done.stderr
    assert "does not answer" in done.stderr
    assert (tmp_path / "log").read_text().startswith("from an earlier start\n")


@pytest.mark.parametrize("sudo", [USER["sudo"], "exit 1"])
def test_an_engine_that_only_root_may_use_is_left_alone(machine, tmp_path: Path, sudo: str) -> None:
    done = machine(
        "setup/ready.sh batch-job", {**USER, **CHANGES, "sudo": sudo, "docker": FOR_ROOT}
    )
    assert_one_line_and_no_change(done, tmp_path)
    assert "'sudo usermod -aG docker learner', then log in anew" in done.stderr


def test_a_docker_host_that_does_not_answer_is_named(machine, tmp_path: Path) -> None:
    host = "tcp://192.0.2.1:2375"
    stubs = {**CHANGES, "docker": NO_ENGINE}
    done = machine("setup/ready.sh batch-job", stubs, DOCKER_HOST=host)
    assert_one_line_and_no_change(done, tmp_path)
    assert f"DOCKER_HOST={host}" in done.stderr


def test_a_context_that_does_not_answer_is_named(machine, tmp_path: Path) -> None:
    docker = f'[ "$1 $2" = "context show" ] && echo big-server && exit; {NO_ENGINE}'
    done = machine("setup/ready.sh batch-job", {**CHANGES, "docker": docker})
    assert_one_line_and_no_change(done, tmp_path)
    assert "context 'big-server' does not answer" in done.stderr


def test_an_engine_that_is_too_old_is_not_replaced(machine, tmp_path: Path) -> None:
    docker = 'case "$1" in version) echo 24.0.9 ;; *) exit 1 ;; esac'
    done = machine("setup/ready.sh batch-job", {**CHANGES, "docker": docker})
    assert_one_line_and_no_change(done, tmp_path)
    assert "the engine is 24.0.9, 25 or newer is needed" in done.stderr


def test_podman_is_named_and_not_called_too_old(machine, tmp_path: Path) -> None:
    docker = """case "$*" in "version --format"*) echo 5.8.6 ;; version) echo ' Podman Engine:' ;; esac"""
    done = machine("setup/ready.sh batch-job", {**CHANGES, "docker": docker})
    assert_one_line_and_no_change(done, tmp_path)
    assert done.stderr.startswith("error: Podman is not supported")
    doctor = machine("setup/doctor.sh", {"docker": docker}).stdout
    assert "✗ engine      Podman is not supported" in doctor


def without_compose(tmp_path: Path, owner: str) -> dict[str, str]:
    """A running engine whose compose comes when apt has installed something; `owner` is docker's package."""
    return {
        **CHANGES,
        "docker": f"""case "$1" in
            version) echo 28.0.0 ;;
            compose) [ -e {tmp_path}/installed ] && echo 2.40.0 ;;
            buildx) echo github.com/docker/buildx v0.20.0 ;;
        esac""",
        "apt-get": f'case "$*" in *" install "*) touch {tmp_path}/installed ;; esac',
        "dpkg": f"echo '{owner}: /usr/bin/docker'" if owner else "exit 1",
    }


@pytest.mark.parametrize(
    ("owner", "release", "package"),
    [
        ("docker-ce-cli", "debian 12", "docker-compose-plugin"),
        ("docker-ce-cli", "ubuntu 24.04", "docker-compose-plugin"),
        ("docker.io", "ubuntu 24.04", "docker-compose-v2"),
        ("docker-cli", "debian 13", "docker-compose"),
    ],
)
def test_missing_compose_comes_from_where_the_engine_came_from(
    machine, tmp_path: Path, owner: str, release: str, package: str
) -> None:
    script = SOURCES + f"os_release() {{ echo {release}; }}; ensure_engine"
    done = machine(script, without_compose(tmp_path, owner))
    assert done.returncode == 0, done.stderr
    (install,) = [
        line
        for line in calls(tmp_path).splitlines()
        if line.startswith("apt-get ") and " install " in line
    ]
    _, packages = install.split(" install ")
    assert packages.split() == [
        "-y", "--no-install-recommends", "--no-remove", "--no-upgrade", package,
    ]  # fmt: skip
    assert not {"dockerd", "systemctl"} & {line.split()[0] for line in calls(tmp_path).splitlines()}


@pytest.mark.parametrize(
    ("owner", "remedy"),
    [("docker-ce-cli", "'sudo apt-get install docker-compose-plugin'"), ("", "https://")],
)
def test_where_nothing_is_installed_the_line_that_does_it_is_printed(
    machine, tmp_path: Path, owner: str, remedy: str
) -> None:
    env = {"LABS_NO_INSTALL": "1"} if owner else {}
    done = machine("setup/ready.sh batch-job", without_compose(tmp_path, owner), **env)
    assert_one_line_and_no_change(done, tmp_path)
    assert remedy in done.stderr


def test_a_dockerd_that_is_starting_is_waited_for(machine, tmp_path: Path) -> None:
    first = tmp_path / "first" / "dockerd"
    first.parent.mkdir()
    first.write_text("#!/bin/sh\nread line\n")
    first.chmod(0o755)
    log = tmp_path / "log"
    log.write_text("of the first\n")
    # It answers when it has been asked for the third time.
    docker = f'[ "$(grep -c "^docker version" {tmp_path}/calls)" -ge 3 ] || exit 1; echo 28.0.0'
    script = f"DOCKER_LOG={log}; DOCKER_PID={tmp_path}/pid; SYSTEMD=/none; start_engine"
    with subprocess.Popen([first], stdin=subprocess.PIPE) as process:
        (tmp_path / "pid").write_text(f"{process.pid}\n")
        done = machine(SOURCES + script, {**CHANGES, "docker": docker})
    assert done.returncode == 0, done.stderr
    assert "dockerd" not in calls(tmp_path)
    assert log.read_text() == "of the first\n"


def test_under_systemd_the_engine_is_started_and_never_restarted(machine, tmp_path: Path) -> None:
    stubs = {
        **CHANGES,
        "docker": f"[ -e {tmp_path}/started ] && echo 28.0.0",
        "systemctl": f"touch {tmp_path}/started",
    }
    done = machine(SOURCES + f"SYSTEMD={tmp_path}; start_engine", stubs)
    assert done.returncode == 0, done.stderr
    called = calls(tmp_path).splitlines()
    assert [line for line in called if "systemctl" in line] == ["systemctl start docker"]
