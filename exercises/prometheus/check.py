"""Monitoring as a profile, with a target that is up."""

from __future__ import annotations

import json
import random
from functools import partial
from typing import Any

from learn.bench import Bench

TITLE = "Watched, when somebody asks for it"
MINUTES = 12
IMAGES = ("python:3.13-slim", "prom/prometheus:v2.53.5")
HINTS = (
    "A service that belongs to a profile starts only when the profile is asked for. One without a profile always starts. Which of the two has to have one?",
    "A service says with profiles, a list, which ones it belongs to. That is in compose.yaml; the target is in prometheus.yml.",
    "Prometheus runs in a container of its own. What is localhost there, and by what name does one container find another of the same file?",
)
MUST_SAY = {
    "start": "api, prometheus",
    "wrong-all-optional": "nothing is running",
    "wrong-needed": "cannot need one that starts only when it is asked for",
    "wrong-localhost": "localhost:8000/metrics",
    "wrong-itself": "knows no count of predictions",
}


def check(bench: Bench) -> None:
    port, page = bench.free_port(), bench.free_port()
    compose = partial(bench.compose, env={"PORT": str(port), "PROMETHEUS_PORT": str(page)})
    read = "docs/commands.md#compose-several-containers-one-file"

    def ask(path: str) -> Any:
        """What Prometheus answers below /api/v1; empty while it does not."""
        answer = bench.get(page, f"/api/v1/{path}")
        return json.loads(answer)["data"] if answer.startswith("{") else {}

    up = compose("up", "--build", "--detach")
    running = sorted(compose("ps", "--services").out.split())
    bench.expect(
        running == ["api"], "Without a profile api runs, and nothing else", did="docker compose up --build --detach, docker compose ps",
        seen=", ".join(running) or f"nothing is running\n{up.seen.splitlines()[-1]}", expected="api",
        why="a service that always starts cannot need one that starts only when it is asked for" if up.code and "prometheus" in up.err
        else "a service with a profile starts when the profile is asked for, any other one always", read=read,
    )  # fmt: skip
    bench.wait(lambda: bench.get(port))
    up = compose("--profile", "monitoring", "up", "--detach")
    bench.expect(
        bench.wait(lambda: ask("targets"), 60), "With the profile monitoring Prometheus runs, too",
        did="docker compose --profile monitoring up --detach", seen=bench.logs(bench.service("prometheus")) if up.code == 0 else up.seen,
        expected="its page answers on $PROMETHEUS_PORT", why="a service belongs to the profiles that it names, and they are asked for by name", read=read,
    )  # fmt: skip

    def targets() -> list[dict[str, str]]:
        return ask("targets").get("activeTargets", [])

    bench.wait(lambda: targets() and all(one["health"] == "up" for one in targets()), 10)
    down = [one for one in targets() if one["health"] != "up"]
    bench.expect(
        targets() and not down, "The target is up",
        did="curl http://127.0.0.1:$PROMETHEUS_PORT/api/v1/targets", seen=f"{down[0]['health']}: {down[0]['lastError']}" if down else "there is no target",
        expected="each target up", why="for Prometheus localhost is its own container; it finds another one by its service's name", read="docs/concepts.md#network",
    )  # fmt: skip
    number = random.randrange(5, 30)
    for _ in range(number):
        bench.get(port, "/predict")

    def counts() -> list[str]:
        return [one["value"][1] for one in ask("query?query=predictions_total").get("result", [])]

    bench.wait(lambda: counts() and int(counts()[0]) >= number, 10)
    bench.expect(
        counts() and int(counts()[0]) >= number, "Prometheus knows how many predictions there were",
        did=f"curl /predict {number} times, then asked Prometheus for predictions_total",
        seen=f"predictions_total is {counts()[0]}" if counts() else "it knows no count of predictions", expected=f"{number}",
        why="it knows what its targets show at /metrics; api shows its count on port 8000", read="ml-prod-demo/production/README.md#watched-by-prometheus",
    )  # fmt: skip
