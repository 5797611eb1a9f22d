"""Lab 3 with three api containers behind the proxy: all of them work, and losing one is not noticed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import httpx
import pytest
from docker_cli import Compose, Container, docker, free_port, wait_until
from iris_api import SETOSA, read_metrics
from load import Load


@pytest.fixture
def scaled(compose: Callable[..., Compose]) -> Compose:
    project = compose(
        "ml-prod-demo",
        COMPOSE_FILE="compose.yaml:production/scale.yaml",
        PORT=str(free_port()),
    )
    project.up("--build", "--scale", "api=3")
    return project


def predictions_made_by(api: Container) -> int:
    metrics = read_metrics(api, 8000).splitlines()
    return sum(
        int(float(line.split()[-1])) for line in metrics if line.startswith("predictions_total{")
    )


def test_requests_spread_over_three_and_killing_one_fails_none(scaled: Compose) -> None:
    apis = scaled.containers("api")
    assert len(apis) == 3
    assert not any(any(api.inspect()["NetworkSettings"]["Ports"].values()) for api in apis)
    url = f"http://127.0.0.1:{scaled.container('proxy').host_port(8080)}"

    async def scenario() -> Load:
        async with Load(f"{url}/predict", SETOSA, workers=8) as load:
            await load.until_answered(600)
            made = [await asyncio.to_thread(predictions_made_by, api) for api in apis]
            # A third each; chance alone stays far from half of that.
            assert min(made) > sum(made) / 6, made
            await asyncio.to_thread(apis[0].kill)
            await load.until_answered(600)
            # It comes back, and takes its part again.
            await asyncio.to_thread(docker, "start", apis[0].id)
            await asyncio.to_thread(apis[0].wait_healthy)
            await asyncio.to_thread(wait_until, lambda: predictions_made_by(apis[0]) > 50)
            # An orderly end is no different.
            await asyncio.to_thread(docker, "stop", apis[1].id)
            await load.until_answered(300)
        return load

    load = asyncio.run(scenario())
    assert load.failed == {}, scaled.logs()


def test_the_proxy_passes_on_what_the_api_says(scaled: Compose) -> None:
    url = f"http://127.0.0.1:{scaled.container('proxy').host_port(8080)}"
    refused = httpx.post(f"{url}/predict", json={**SETOSA, "petal_width": "wide"})
    assert refused.status_code == 422
    assert refused.headers["content-type"] == "application/json"
    rows = [SETOSA] * 10_000
    batch = httpx.post(f"{url}/predict/batch", json={"rows": rows}, timeout=60)
    assert len(batch.json()["predictions"]) == len(rows)
