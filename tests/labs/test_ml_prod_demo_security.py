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
    for file in ("database_password", "redis_password"):
        password = (stack.project.folder / "production/.secrets" / file).read_text()
        for service in ("api", "db", "recorder", "cache"):
            assert password not in json.dumps(stack[service].inspect())
            assert password not in stack[service].logs()
            assert password not in stack[service].exec("cat", "/proc/1/cmdline").stdout
    # Who finds the address of Redis, as every user of the host can, still needs the password.
    assert "NOAUTH" in stack["cache"].exec("redis-cli", "keys", "*").stdout
    assert stack.redis("ping") == "PONG"


def passwords(folder: Path) -> dict[str, str]:
    run_secrets_script(folder)
    return {path.name: path.read_text() for path in (folder / "production/.secrets").iterdir()}


def test_passwords_are_made_once_and_are_others_in_every_copy(lab_copy, tmp_path: Path) -> None:
    first = lab_copy("ml-prod-demo")
    made = passwords(first)
    assert made.keys() == {"database_password", "redis_password", "api_key"}
    assert all(re.fullmatch(r"[0-9a-f]{48}", password) for password in made.values())
    assert len(set(made.values())) == 3
    assert passwords(first) == made
    # A folder from before Redis had one: it gets one, and the database keeps its own.
    (first / "production/.secrets/redis_password").unlink()
    again = passwords(first)
    assert again["redis_password"] not in made.values()
    assert {**again, "redis_password": made["redis_password"]} == made
    # The folder is the lock; the file is read by the uids of several containers.
    assert oct((first / "production/.secrets").stat().st_mode) == "0o40700"
    second = tmp_path / "second"
    shutil.copytree(first, second, ignore=shutil.ignore_patterns(".secrets"))
    assert not set(passwords(second).values()) & {*made.values(), *again.values()}


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


NO_REDIS = "REDIS_URL is no address; one like redis://cache:6379/0 is accepted"
NO_DATABASE = "DATABASE_URL is no address; one like postgresql://app@db/predictions is accepted"


@pytest.mark.parametrize(
    ("setting", "complaint"),
    [
        ("REDIS_URL=cache", NO_REDIS),
        ("REDIS_URL=REDIS://:hunter2@cache", NO_REDIS),
        ("REDIS_URL=redis://:hunter2@cache:hunter2", NO_REDIS),
        ("DATABASE_URL=", NO_DATABASE),
        ("DATABASE_URL=Postgresql://app:pw@db/predictions", NO_DATABASE),
        ("DATABASE_URL=postgresql://app:hunter 2@db/predictions", NO_DATABASE),
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
