"""Lab 3 with Prometheus and no database: it finds the api, counts its requests, and would raise its alerts."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from docker_cli import Compose, free_port, wait_until
from iris_api import SETOSA, UID
from iris_stack import Prometheus
from posture import violations_of_project
from repository import ROOT

PRODUCTION = ROOT / "ml-prod-demo/production"


def test_prometheus_watches_the_api_alone(compose: Callable[..., Compose]) -> None:
    lab = compose(
        "ml-prod-demo", COMPOSE_FILE="compose.yaml:production/metrics.yaml",
        PORT=str(free_port()), PROMETHEUS_PORT=str(free_port()),
        HOST_UID=str(UID), HOST_GID=str(UID),
    )  # fmt: skip
    lab.up("--build")
    assert set(lab("ps", "--services").stdout.split()) == {"api", "prometheus"}
    url = f"http://127.0.0.1:{lab.container('api').host_port(8000)}"
    for _ in range(3):
        assert httpx.post(f"{url}/predict", json=SETOSA).status_code == 200

    prometheus = Prometheus(lab.container("prometheus"))
    wait_until(lambda: prometheus.value('up{job="api"}') == 1, describe=lab.logs)
    counted = 'http_requests_total{job="api", route="/predict", code="200"}'
    wait_until(lambda: prometheus.value(counted) == 3, describe=lab.logs)
    assert prometheus.value("count(up)") == 1
    quiet = {"ApiDown": "inactive", "ErrorRate": "inactive", "TaskFails": "inactive"}
    wait_until(lambda: prometheus.alerts() == quiet, describe=lambda: str(prometheus.alerts()))
    assert violations_of_project(lab.project) == []

    lab.container("api").kill()
    wait_until(lambda: prometheus.alerts()["ApiDown"] == "firing", 120, describe=lab.logs)


@pytest.mark.parametrize(
    ("command", "file"),
    [
        (["check", "config"], "prometheus.yml"),
        (["check", "config"], "prometheus.full.yml"),
        (["check", "rules"], "alerts.api.yml"),
        (["check", "rules"], "alerts.recorder.yml"),
        (["test", "rules"], "alerts.test.yml"),
    ],
)
def test_promtool_accepts_the_configuration_and_the_alerts(run_once, command, file: str) -> None:
    options = ["--entrypoint", "promtool", "-v", f"{PRODUCTION}/prometheus:/etc/prometheus:ro"]
    done = run_once("prom/prometheus:v2.53.5", *command, f"/etc/prometheus/{file}", options=options)
    assert done.returncode == 0, done.stdout + done.stderr
