"""Lab 3 with all that production has: who reaches what, the password, the recorder's settings."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from docker_cli import PROJECT_LABEL, PROJECT_PREFIX, docker
from iris_stack import Stack, run_secrets_script

pytest_plugins = ["iris_fixtures"]


def test_databases_are_unreachable_and_the_full_stack_gives_up_what_it_can(stack: Stack) -> None:
    for service in ("db", "cache"):
        seen = stack[service].inspect()
        assert not any(seen["NetworkSettings"]["Ports"].values())
        (network,) = seen["NetworkSettings"]["Networks"]
        assert json.loads(docker("network", "inspect", network).stdout)[0]["Internal"] is True
    for service, uid in (("db", 999), ("cache", 999), ("prometheus", 65534)):
        container = stack[service]
        status = container.exec("cat", "/proc/1/status").stdout
        assert re.search(rf"^Uid:\s+{uid}\s", status, re.MULTILINE), status
        assert re.search(r"^CapEff:\s+0+$", status, re.MULTILINE), f"{service}: {status}"
        assert container.exec("touch", "/etc/new", check=False).returncode != 0
    password = (stack.project.folder / "production/.secrets/database_password").read_text()
    for service in ("api", "db", "recorder"):
        assert password not in json.dumps(stack[service].inspect())
        assert password not in stack[service].logs()


def test_password_is_made_once_and_is_another_in_every_copy(lab_copy, tmp_path: Path) -> None:
    first = lab_copy("ml-prod-demo")
    password = run_secrets_script(first).read_text()
    assert re.fullmatch(r"[0-9a-f]{48}", password)
    assert run_secrets_script(first).read_text() == password
    # The folder is the lock; the file is read by the uids of several containers.
    assert oct((first / "production/.secrets").stat().st_mode) == "0o40700"
    second = tmp_path / "second"
    shutil.copytree(first, second, ignore=shutil.ignore_patterns(".secrets"))
    assert run_secrets_script(second).read_text() != password


def test_volume_made_with_another_password_is_named_at_once(engine: None, lab_copy) -> None:
    folder, project = lab_copy("ml-prod-demo"), f"{PROJECT_PREFIX}second"
    volume = f"{project}_db_data"
    docker("volume", "create", "--label", f"{PROJECT_LABEL}={project}", volume)
    done = subprocess.run(
        ["production/make-secrets.sh"], cwd=folder, capture_output=True, text=True, timeout=60,
        env={**os.environ, "COMPOSE_PROJECT_NAME": project}, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert f"error: the volume {volume} holds recorded predictions" in done.stderr
    assert f"docker volume rm {volume}" in done.stderr
    assert not (folder / "production/.secrets").exists()

    docker("volume", "rm", volume)
    assert run_secrets_script(folder, project).is_file()


@pytest.mark.parametrize(
    ("setting", "complaint"),
    [
        ("REDIS_URL=cache", "REDIS_URL is no address; one like redis://cache:6379/0 is accepted"),
        (
            "DATABASE_URL=",
            "DATABASE_URL is no address; one like postgresql://app@db/predictions is accepted",
        ),
        (
            "DATABASE_PASSWORD_FILE=/none",
            (
                "DATABASE_PASSWORD_FILE is '/none'; a file that can be read is accepted: "
                "No such file or directory"
            ),
        ),
        ("LOG_LEVEL=loud", "LOG_LEVEL is 'LOUD'; accepted are DEBUG, INFO, WARNING, ERROR"),
    ],
)
def test_recorder_refuses_a_wrong_setting_in_one_line(
    image_of, run_once, setting: str, complaint: str
) -> None:
    settings = {"REDIS_URL": "redis://cache", "DATABASE_URL": "postgresql://app@db/predictions"}
    name, _, value = setting.partition("=")
    options = [f"--env={key}={value}" for key, value in {**settings, name: value}.items()]
    done = run_once(image_of("ml-prod-demo/production/recorder"), options=options)
    assert done.returncode == 2
    assert done.stderr == f"recorder: {complaint}\n"
