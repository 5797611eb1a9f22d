"""Lab 2 as a person meets it: `make lab2`, the printed URL in a real browser, `make lab2-down`."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from docker_cli import PROJECT_PREFIX, Compose, Container, docker, free_port
from playwright.sync_api import Page
from repository import ROOT

pytest_plugins = ["browser"]

CELL = """import os, matplotlib.pyplot as plt
print("threads", os.environ["OMP_NUM_THREADS"], "answer", 6 * 7)
_ = plt.plot([1, 4, 9])"""


@dataclass
class Checkout:
    """A copy of what `make lab2` needs of the repository, with a compose project of its own."""

    root: Path
    project: Compose

    def make(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["make", "--no-print-directory", *arguments],
            cwd=self.root, capture_output=True, text=True, timeout=600, check=False,
            env={**os.environ, "COMPOSE_PROJECT_NAME": self.project.project, **env},
        )  # fmt: skip

    @property
    def token_file(self) -> Path:
        return self.root / "ds-lab" / ".secrets" / "jupyter_token"


@pytest.fixture
def checkout(engine: None, lab_copy: Callable[[str], Path]) -> Iterator[Checkout]:
    lab = lab_copy("ds-lab")
    shutil.copy2(ROOT / "Makefile", lab.parent)
    shutil.copytree(ROOT / "setup", lab.parent / "setup")
    # As the owner of the checkout: the image has its own default user.
    project = Compose(lab, project=PROJECT_PREFIX + uuid.uuid4().hex[:8])
    yield Checkout(lab.parent, project)
    project.down()


def printed_url(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stdout + done.stderr
    (url,) = re.findall(r"http://\S+", done.stdout)
    return url


def status(port: str, **headers: str) -> int:
    return httpx.get(f"http://127.0.0.1:{port}/api/status", headers=headers).status_code


def container_of(checkout: Checkout) -> Container:
    return checkout.project.container("jupyter")


def cells_on_disk(path: Path) -> list[dict]:
    return [c for c in json.loads(path.read_text())["cells"] if c["cell_type"] == "code"]


def test_a_person_runs_a_notebook_in_the_browser(checkout: Checkout, page: Page) -> None:
    notebook = checkout.root / "ds-lab" / "notebooks" / "01-first-look.ipynb"
    url = printed_url(checkout.make("lab2", PORT=str(free_port())))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    page.goto(url)
    page.get_by_role("listitem", name=re.compile("01-first-look")).dblclick()
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    first = page.locator(".jp-NotebookPanel .jp-CodeCell").first
    editor = first.get_by_role("textbox")
    editor.click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(CELL)
    page.keyboard.press("Control+Enter")

    cpus = min(2, os.cpu_count() or 1)
    output = first.locator(".jp-OutputArea-output")
    output.get_by_text(f"threads {cpus} answer 42").wait_for()
    plot = first.locator(".jp-OutputArea-output img")
    plot.wait_for()
    assert plot.evaluate("image => image.naturalWidth") > 300

    page.keyboard.press("Control+s")
    page.locator(".lm-TabBar-tab.jp-mod-dirty").wait_for(state="detached")
    saved = cells_on_disk(notebook)[0]
    assert "".join(saved["source"]) == CELL
    assert "image/png" in saved["outputs"][-1]["data"]
    assert notebook.stat().st_uid == os.getuid()

    elsewhere = [u for u in asked if not re.match(r"(data|blob):|(http|ws)://127\.0\.0\.1:", u)]
    assert not elsewhere, "the page asked another machine"
    assert not page.locator(".jp-Dialog, .Toastify__toast").count(), "a pop-up is in the way"


def test_the_server_answers_nobody_else(checkout: Checkout) -> None:
    url = httpx.URL(printed_url(checkout.make("lab2", PORT=str(free_port()))))
    port, token = str(url.port), url.params["token"]
    assert re.fullmatch("[0-9a-f]{48}", token)
    right = {"Authorization": f"token {token}"}

    assert status(port) == 403
    assert status(port, Authorization="token wrong") == 403
    assert status(port, **right) == 200
    assert status(port, **right, Host=f"localhost:{port}") == 200
    # A name that a foreign page let point here (DNS rebinding), and a page that rides on the login cookie.
    assert status(port, **right, Host=f"evil.example:{port}") == 403
    with httpx.Client() as browser:
        assert browser.get(url, follow_redirects=True).status_code == 200
        assert browser.get(url.copy_with(path="/api/status", query=None)).status_code == 200
        foreign = {"Origin": "http://evil.example"}
        refused = browser.get(url.copy_with(path="/api/status", query=None), headers=foreign)
        assert refused.status_code == 404

    container = container_of(checkout)
    assert token not in json.dumps(container.inspect())
    assert token not in container.logs()
    assert token not in docker("history", "--no-trunc", container.inspect()["Image"]).stdout


def test_make_lab2_again_changes_nothing_and_down_forgets(checkout: Checkout) -> None:
    port = str(free_port())
    url = printed_url(checkout.make("lab2", PORT=port))
    assert checkout.token_file.stat().st_mode & 0o777 == 0o600
    before = container_of(checkout)
    again = printed_url(checkout.make("lab2", PORT=port))
    assert (again, container_of(checkout)) == (url, before)

    # Stopped and started, the token is the same; a chosen one replaces it, also in a running server.
    checkout.project("stop")
    assert printed_url(checkout.make("lab2", PORT=port)) == url
    chosen = printed_url(checkout.make("lab2", PORT=port, JUPYTER_TOKEN="chosen"))
    assert chosen.endswith("/lab?token=chosen")
    assert status(port, Authorization="token chosen") == 200
    assert "chosen" not in json.dumps(container_of(checkout).inspect()["Config"])

    for _ in range(2):
        down = checkout.make("lab2-down")
        assert down.returncode == 0, down.stderr
    assert checkout.project.all_containers() == []
    assert not checkout.token_file.parent.exists()


def test_published_to_the_network_the_host_name_is_free(checkout: Checkout) -> None:
    port = str(free_port())
    url = printed_url(checkout.make("lab2", PORT=port, BIND="0.0.0.0"))
    token = httpx.URL(url).params["token"]
    host = f"lab.example:{port}"
    assert status(port, Host=host, Authorization=f"token {token}") == 200
    assert status(port, Host=host) == 403


@pytest.mark.parametrize(
    ("env", "says"),
    [
        ({"PORT": "abc"}, "PORT=abc is not a port: give a number from 1 to 65535"),
        ({"PORT": "70000"}, "PORT=70000 is not a port: give a number from 1 to 65535"),
        ({"JUPYTER_TOKEN": "a b"}, "JUPYTER_TOKEN may hold letters, digits and . _ ~ - only"),
    ],
)
def test_a_bad_setting_is_one_clear_line(
    checkout: Checkout, env: dict[str, str], says: str
) -> None:
    done = checkout.make("lab2", **{"PORT": str(free_port()), **env})
    assert done.returncode
    line, makes_own = done.stderr.splitlines()
    assert line.startswith(f"error: {says}")
    assert makes_own.startswith("make: ")
    assert not checkout.token_file.exists()


def test_a_taken_port_is_one_clear_line(checkout: Checkout) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        done = checkout.make("lab2", PORT=str(port))
    assert done.returncode
    line, _ = done.stderr.splitlines()
    assert line.startswith(f"error: port {port} is taken by ")
    assert ": choose another, e.g. 'PORT=" in line
    assert "make lab2'" in line


@pytest.mark.parametrize("env", [{}, {"JUPYTER_TOKEN": "of-the-shell"}])
def test_port_and_token_of_a_file_env_are_in_the_url(
    checkout: Checkout, env: dict[str, str]
) -> None:
    port = free_port()
    (checkout.root / "ds-lab" / ".env").write_text(f"PORT={port}\nJUPYTER_TOKEN=of-the-file\n")
    done = checkout.make("lab2", **env)
    assert done.returncode == 0, done.stdout + done.stderr
    (url,) = re.findall(r"JupyterLab: (\S+)", done.stdout)
    token = env.get("JUPYTER_TOKEN", "of-the-file")
    assert url == f"http://127.0.0.1:{port}/lab?token={token}"
    assert httpx.get(url, follow_redirects=True).status_code == 200
    api = f"http://127.0.0.1:{port}/api/contents?token="
    assert httpx.get(api + token).status_code == 200
    assert httpx.get(api + "wrong").status_code == 403
