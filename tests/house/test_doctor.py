"""`make doctor` tells the truth, on machines unlike this one as well."""

from __future__ import annotations

import re

import pytest
from claims import held_ports
from machine import NO_ENGINE

pytest_plugins = ["machine_fixtures"]


def test_doctor_tells_every_fact(machine) -> None:
    done = machine("setup/doctor.sh", {"docker": NO_ENGINE}, LABS_NO_INSTALL="1")
    assert done.returncode == 1
    facts = re.findall(r"^[✓✗·] ((?:port )?\S+)", done.stdout, flags=re.MULTILINE)
    ports = [f"port {port}" for port in (8000, 8080, 8787, 8888, 9090, 5000, 5001)]
    assert facts == ["engine", "compose", "buildx", "disk", *ports, "gpu", "python"]


@pytest.mark.parametrize(
    ("stubs", "env"),
    [({}, {"LABS_NO_INSTALL": "1"}), ({"uname": "echo Darwin"}, {}), ({"dpkg": "exit 1"}, {})],
)
def test_doctor_promises_no_installation_where_none_is_made(
    machine, stubs: dict[str, str], env: dict[str, str]
) -> None:
    docker = NO_ENGINE if "dpkg" not in stubs else '[ "$1" = version ] && echo 28.0.0'
    done = machine("setup/doctor.sh", {"docker": docker, **stubs}, **env)
    assert done.returncode == 1
    assert "installs" not in done.stdout
    assert "https://docs.docker.com" in done.stdout
    assert ("Docker Desktop" in done.stdout) is ("uname" in stubs)


def test_doctor_names_an_engine_that_this_user_may_not_use(machine) -> None:
    stubs = {"docker": "echo 'permission denied' >&2; exit 1", "id": "echo 1000", "sudo": "exit 1"}
    assert "usermod -aG docker" in machine("setup/doctor.sh", stubs).stdout


@pytest.mark.parametrize(("has", "mark"), [("exec true", "✓"), ("exit 1", "·")])
def test_doctor_says_whether_there_is_a_python(machine, has: str, mark: str) -> None:
    shown = machine("setup/doctor.sh", {"docker": NO_ENGINE, "python3": has}).stdout
    assert re.search(rf"^{mark} python", shown, re.MULTILINE), shown


@pytest.mark.parametrize(
    ("info", "mark"),
    [
        ('{"Runtimes":{"nvidia":{},"runc":{}}}', "✓"),
        ('{"DiscoveredDevices":[{"Source":"cdi","ID":"nvidia.com/gpu=0"}]}', "✓"),
        ('{"Runtimes":{"runc":{}}}', "·"),
    ],
)
def test_doctor_sees_gpus_by_runtime_and_by_cdi(machine, info: str, mark: str) -> None:
    docker = f"[ \"$1\" = info ] && echo '{info}'"
    (line,) = re.findall(
        r"^.*\bgpu\b.*$", machine("setup/doctor.sh", {"docker": docker}).stdout, re.MULTILINE
    )
    assert line.startswith(mark)


def test_doctor_names_the_variable_that_moves_a_port(machine) -> None:
    ports = {8000: "PORT", 8080: "PORT", 8888: "PORT", 9090: "PROMETHEUS_PORT", 5001: "MLFLOW_PORT"}
    with held_ports(*ports):
        shown = machine("setup/doctor.sh", {"docker": NO_ENGINE}).stdout
    for port, variable in ports.items():
        assert re.search(rf"port {port} .*held by .* with {variable}=", shown), shown
