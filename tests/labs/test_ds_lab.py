"""Lab 2 without its page: the image, its settings, its health check, any uid."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from docker_cli import Compose, Container
from inside import program

pytest_plugins = ["jupyter"]

RunOnce = Callable[..., subprocess.CompletedProcess[str]]


def auth(token: str) -> dict[str, str]:
    return {"Authorization": f"token {token}"}


def test_no_package_is_compiled_at_start(jupyter_image: str, run_once: RunOnce) -> None:
    used = ["jupyterlab.labapp", "ipykernel.kernelapp", "matplotlib.pyplot", "sklearn.svm"]
    done = run_once(jupyter_image, "python", "-c", program("ds_lab_without_byte_code.py"), *used)
    count, *bare = done.stdout.split()
    assert int(count) > 700, done
    assert bare == []


@pytest.mark.parametrize(
    ("mode", "text", "says"),
    [
        (0o644, "\n", "JUPYTER_TOKEN_FILE=/token is empty"),
        (0o000, "secret", "JUPYTER_TOKEN_FILE=/token: Permission denied for uid 1000"),
    ],
)
def test_a_bad_token_file_is_one_clear_line(
    jupyter_image: str, posture: list[str], run_once: RunOnce, tmp_path: Path,
    mode: int, text: str, says: str,
) -> None:  # fmt: skip
    path = tmp_path / "token"
    path.write_text(text)
    path.chmod(mode)
    mount = ["-v", f"{path}:/token:ro", "-e", "JUPYTER_TOKEN_FILE=/token"]
    # Not even root could read it without its capabilities; the image's own uid cannot in any case.
    done = run_once(jupyter_image, options=[*posture, "-v", "/workspace", *mount])
    assert done.returncode == 2
    assert done.stderr.strip().splitlines() == [done.stderr.strip()]
    assert says in done.stderr


def test_a_folder_that_cannot_be_written_is_one_clear_line(
    jupyter_image: str, posture: list[str], run_once: RunOnce, notebooks: Path
) -> None:
    notebooks.chmod(0o755)
    other = os.getuid() + 1
    options = [*posture, "--user", str(other), "-v", f"{notebooks}:/workspace"]
    done = run_once(jupyter_image, options=options)
    assert done.returncode == 2
    assert done.stderr.strip() == (
        f"ds-lab: uid {other} cannot write to the notebooks folder; "
        "start with HOST_UID=$(id -u) HOST_GID=$(id -g)"
    )


def test_without_any_token_setting_a_random_one_is_made(
    jupyter_image: str, run: Callable[..., Container]
) -> None:
    container = run(jupyter_image, options=["-p", "127.0.0.1::8888"])
    container.wait_healthy()
    url = f"http://127.0.0.1:{container.host_port(8888)}/api/status"
    assert httpx.get(url).status_code == 403


def test_a_codespace_opens_its_own_forwarded_name_and_no_other(
    jupyter_image: str, run: Callable[..., Container], compose: Callable[..., Compose]
) -> None:
    project = compose("ds-lab", CODESPACE_NAME="my-space", PORT="8889")
    (project.folder / ".secrets").mkdir()
    settings = json.loads(project("config", "--format", "json").stdout)
    host = settings["services"]["jupyter"]["environment"]["CODESPACE_HOST"]
    assert host == "my-space-8889.app.github.dev"

    environment = ["-e", f"CODESPACE_HOST={host}", "-e", "JUPYTER_TOKEN=t"]
    container = run(jupyter_image, options=["-p", "127.0.0.1::8888", *environment])
    container.wait_healthy()
    url = f"http://127.0.0.1:{container.host_port(8888)}"
    with httpx.Client(base_url=url, headers={"Host": host}) as browser:

        def contents(**headers: str) -> int:
            return browser.get("/api/contents", headers=headers).status_code

        assert contents() == 403, "opened without a token"
        browser.get("/lab?token=t")
        assert contents(Origin="https://localhost:8889") == 200
        assert contents(Origin="https://elsewhere.example") == 404
        assert contents(Host="elsewhere.example") == 403


def test_the_health_check_notices_a_server_that_hangs_and_one_that_is_not_there(
    jupyter_image: str, run: Callable[..., Container], run_once: RunOnce
) -> None:
    container = run(jupyter_image)
    container.wait_healthy()
    _, *check = container.inspect()["Config"]["Healthcheck"]["Test"]
    assert run_once(jupyter_image, *check).returncode == 1
    # Frozen from outside; the check must not hang with it.
    container.kill("STOP")
    frozen = container.exec(*check, check=False)
    container.kill("CONT")
    assert frozen.returncode == 1
    assert "timed out" in frozen.stderr


@pytest.mark.parametrize("uid", [0, 1001, 65534])
def test_any_uid_works_and_owns_its_notebooks(
    jupyter_image: str, posture: list[str], run: Callable[..., Container],
    notebooks: Path, tmp_path: Path, uid: int,
) -> None:  # fmt: skip
    (tmp_path / "token").write_text("from-the-file\n")
    container = run(
        jupyter_image,
        options=[*posture, "--user", f"{uid}:{uid}", "-v", f"{notebooks}:/workspace", "--init",
                 "-p", "127.0.0.1::8888", "-v", f"{tmp_path / 'token'}:/token:ro",
                 "-e", "JUPYTER_TOKEN_FILE=/token", "-e", "JUPYTER_TOKEN=t"],
    )  # fmt: skip
    container.wait_healthy()
    url = f"http://127.0.0.1:{container.host_port(8888)}/api/contents/mine.txt"
    assert httpx.get(url, headers=auth("from-the-file")).status_code == 403, "the variable wins"
    body = {"type": "file", "format": "text", "content": "saved"}
    assert httpx.put(url, headers=auth("t"), json=body).status_code == 201
    saved = notebooks / "mine.txt"
    assert (saved.read_text(), saved.stat().st_uid, saved.stat().st_gid) == ("saved", uid, uid)

    command = 'echo "$(id -u)=$((6*7))"'
    typed = container.exec("python", "-c", program("ds_lab_terminal.py"), "t", command)
    assert f"{uid}=42" in typed.stdout, typed

    assert httpx.delete(url, headers=auth("t")).status_code == 204
    assert list(notebooks.glob(".Trash*")) == [], "a deleted file is still there"
    container.kill("TERM")
    assert container.wait(timeout=15) == 0
