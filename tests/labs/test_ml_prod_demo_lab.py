"""Lab 3 as a whole: its images, a copy of the lab that comes up, edits while it runs."""

from __future__ import annotations

import os
import re
from collections.abc import Callable

import httpx
import pytest
from docker_cli import megabytes_of
from iris_api import SERVE, TRAIN, UID, inside, python
from posture import violations_of_project
from repository import ROOT

SPARE_MB = 181  # the serving image may be this much larger than the base image: under 300 MB in all


def test_image_is_within_its_budget(image_of: Callable) -> None:
    assert megabytes_of(image_of(SERVE)) - megabytes_of("python:3.13-slim") < SPARE_MB


@pytest.mark.parametrize("folder", [SERVE, TRAIN])
def test_onnxruntime_reports_to_nobody(image_of: Callable, run_once: Callable, folder: str) -> None:
    program = "onnxruntime_traces.py"
    options = ["--read-only", "--tmpfs=/tmp", *inside(program)]

    done = run_once(image_of(folder), *python(program), options=options)

    assert (done.returncode, done.stdout.strip(), done.stderr.strip()) == (0, "", "")


def test_serving_image_has_no_scikit_learn(run_once: Callable, image_of: Callable) -> None:
    done = run_once(image_of(SERVE), "python", "-c", "import sklearn")

    assert "ModuleNotFoundError" in done.stderr


@pytest.mark.parametrize("runtime", ["onnx", "joblib"])
def test_lab_comes_up_by_itself(compose: Callable, runtime: str) -> None:
    lab = compose("ml-prod-demo", PORT="0", RUNTIME=runtime, HOST_UID=str(UID), HOST_GID=str(UID))

    lab.up("--build")

    assert "Test accuracy: 0.967" in lab("logs", "train").stdout
    sample = lab("exec", "-T", "api", "python", "smoke.py").stdout
    assert '"predicted_class_name": "setosa"' in sample
    assert violations_of_project(lab.project) == []
    url = f"http://127.0.0.1:{lab.container('api').host_port(8000)}"
    first = httpx.get(f"{url}/model").json()
    assert first["runtime"] == runtime

    lab("run", "--rm", "train")

    lab.container("api").wait_until(
        lambda: httpx.get(f"{url}/model").json()["trained_at"] != first["trained_at"]
    )


def test_an_edit_is_served_at_once(compose: Callable) -> None:
    lab = compose("ml-prod-demo", PORT="0", HOST_UID=str(UID), HOST_GID=str(UID))
    if os.getuid() == 0:
        for path in (lab.folder / "serve").iterdir():
            os.chown(path, 4321, 4321)
    files = ["-f", "compose.yaml", "-f", "compose.dev.yaml"]
    lab(*files, "up", "--build", "--detach", "--wait")
    url = f"http://127.0.0.1:{lab.container('api').host_port(8000)}"
    app = lab.folder / "serve/app.py"

    for word in ("fine", "better"):
        text = re.sub(r'\{"status": "\w+"\}', f'{{"status": "{word}"}}', app.read_text())
        app.write_text(text)
        lab.container("api").wait_until(lambda word=word: status(url) == {"status": word})


def status(url: str) -> dict | None:
    """Return the answer of /health, or None while the process starts anew."""
    try:
        return httpx.get(f"{url}/health").json()
    except httpx.TransportError:
        return None


@pytest.mark.parametrize(
    ("page", "settings"),
    [
        ("README.md", "serve/service/settings.py"),
        ("production/README.md", "serve/production/settings.py"),
        ("production/README.md", "production/recorder/settings.py"),
    ],
)
def test_readme_names_every_setting(page: str, settings: str) -> None:
    readme = (ROOT / "ml-prod-demo" / page).read_text()
    names = re.findall(r'"([A-Z_]{5,})"', (ROOT / "ml-prod-demo" / settings).read_text())
    assert names
    for name in names:
        assert name in {"DEBUG", "WARNING", "ERROR"} or name in readme, name
