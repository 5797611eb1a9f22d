"""Lab 3 with all that production has: every prediction recorded once, whatever is killed, and none failed for it."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from docker_cli import Compose, Container, docker, free_port, wait_until
from load import Load
from repository import ROOT

LAB = ROOT / "ml-prod-demo"
OUTAGE_SECONDS = 60

SETOSA = {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}
VIRGINICA = {"sepal_length": 6.7, "sepal_width": 3.0, "petal_length": 5.2, "petal_width": 2.3}


def run_secrets_script(folder: Path) -> Path:
    subprocess.run(["./make-secrets.sh"], cwd=folder, check=True, timeout=60)
    return folder / ".secrets/database_password"


class Stack:
    """The full profile of a copy of the lab, up and healthy."""

    def __init__(self, project: Compose) -> None:
        self.project = project
        run_secrets_script(project.folder)
        project.up("--build")
        # A container that is killed and started again is the same one.
        services = project("ps", "--services").stdout.split()
        self.containers = {service: project.container(service) for service in services}
        self.url = f"http://127.0.0.1:{self['api'].host_port(8000)}"

    def __getitem__(self, service: str) -> Container:
        return self.containers[service]

    def load(self, pause: float = 0.05) -> Load:
        return Load(f"{self.url}/predict", SETOSA, workers=4, pause=pause)

    def sql(self, query: str) -> str:
        psql = ("psql", "-U", "app", "-d", "predictions", "-Atc", query)
        return self["db"].exec(*psql).stdout.strip()

    def rows(self) -> int:
        return int(self.sql("SELECT count(*) FROM predictions"))

    def redis(self, *command: str) -> str:
        return self["cache"].exec("redis-cli", *command).stdout.strip()

    def metrics_of_api(self) -> dict[str, float]:
        return parse_metrics(httpx.get(f"{self.url}/metrics").text)

    def metrics_of_recorder(self) -> dict[str, float]:
        read = "from urllib.request import urlopen as u; print(u('http://127.0.0.1:9100/metrics').read().decode())"
        return parse_metrics(self["recorder"].exec("python", "-c", read).stdout)

    def until_nothing_waits(self) -> None:
        """Wait until the api's queue and the stream are empty."""

        def empty() -> bool:
            return (
                self.metrics_of_api()["records_waiting"] == 0
                and self.redis("xlen", "predictions") == "0"
            )

        wait_until(empty, 120, describe=self.project.logs)

    def assert_recorded_once(self, made: int) -> None:
        """Every one of `made` predictions is a row of its own. The key of the table is the prediction's id."""
        self.until_nothing_waits()
        assert self.metrics_of_api()["records_lost_total"] == 0
        assert self.rows() == made, self.project.logs()
        assert self.redis("xpending", "predictions", "recorder").split()[0] == "0"
        assert self.redis("exists", "predictions:bad") == "0"


def parse_metrics(text: str) -> dict[str, float]:
    """Return the samples without labels by name."""
    return {name: float(value) for name, value in re.findall(r"^(\w+) (\S+)$", text, re.MULTILINE)}


@pytest.fixture
def stack(compose: Callable[..., Compose]) -> Stack:
    return Stack(
        compose(
            "ml-prod-demo",
            COMPOSE_FILE="compose.yaml:compose.full.yaml",
            COMPOSE_PROFILES="full",
            PORT=str(free_port()),
            PROMETHEUS_PORT=str(free_port()),
        )
    )


async def off_loop(function: Callable, *arguments: object) -> object:
    """Call what blocks without holding up the load."""
    return await asyncio.to_thread(function, *arguments)


def test_predictions_are_recorded_listed_and_scraped(stack: Stack) -> None:
    for flower in (SETOSA, VIRGINICA):
        assert httpx.post(f"{stack.url}/predict", json=flower).status_code == 200
    rows = [SETOSA] * 3
    assert httpx.post(f"{stack.url}/predict/batch", json={"rows": rows}).status_code == 200
    stack.assert_recorded_once(5)

    page = httpx.get(f"{stack.url}/predictions", params={"limit": 4}).json()["predictions"]
    assert [row["class_name"] for row in page] == ["setosa"] * 3 + ["virginica"]
    assert page[3]["features"] == list(VIRGINICA.values())
    assert sum(page[3]["probabilities"]) == pytest.approx(1, abs=1e-5)
    plan = stack.sql(
        "SET enable_seqscan = off; EXPLAIN SELECT * FROM predictions ORDER BY time DESC, id DESC LIMIT 9"
    )
    assert "predictions_newest_first" in plan and "Sort" not in plan

    prometheus = f"http://127.0.0.1:{stack['prometheus'].host_port(9090)}"

    def value(query: str) -> float | None:
        answer = httpx.get(f"{prometheus}/api/v1/query", params={"query": query}).json()
        result = answer["data"]["result"]
        return float(result[0]["value"][1]) if result else None

    wait_until(
        lambda: value('records_written_total{job="recorder"}') == 5, describe=stack.project.logs
    )
    wait_until(lambda: value("sum(predictions_total)") == 5, describe=stack.project.logs)
    assert value('min(up{job=~"api|recorder"})') == 1

    def alerts() -> dict[str, str]:
        groups = httpx.get(f"{prometheus}/api/v1/rules").json()["data"]["groups"]
        return {rule["name"]: rule["state"] for group in groups for rule in group["rules"]}

    # Prometheus may be up before the api: ApiDown is pending then, until it is evaluated again.
    quiet = {"ApiDown": "inactive", "ErrorRate": "inactive", "RecordsWaiting": "inactive"}
    wait_until(lambda: alerts() == quiet, describe=lambda: str(alerts()))


def record(**fields: object) -> dict:
    """A record as the api sends it, with an id of its own unless `fields` say otherwise."""
    return {
        "id": str(uuid.uuid4()),
        "time": "2026-01-02T03:04:05.678Z",
        "model_version": "v1",
        "features": [5.1, 3.5, 1.4, 0.2],
        "class_index": 0,
        "class_name": "setosa",
        "probabilities": [0.9, 0.1, 0.0],
        "latency_ms": 0.5,
        **fields,
    }


def test_what_cannot_be_stored_is_put_aside_and_holds_nothing_up(stack: Stack) -> None:
    sent_twice = str(uuid.uuid4())
    records = [
        record(id=sent_twice),
        record(id=sent_twice),
        record(id="no uuid"),
        record(time="2026-01-02T03:04:05"),
        record(class_index=2**40),
        record(model_version="a\0b"),
        record(class_name="\ud800"),
        {"id": str(uuid.uuid4())},
        [],
    ]
    payloads = [*map(json.dumps, records), "not JSON", "[" * 50_000]
    # While it is stopped: it meets them all in one batch.
    docker("stop", stack["recorder"].id)
    for payload in payloads:
        stack.redis("xadd", "predictions", "*", "record", payload)
    stack.redis("xadd", "predictions", "*", "other", "field")
    last = str(uuid.uuid4())
    stack.redis("xadd", "predictions", "*", "record", json.dumps(record(id=last)))
    docker("start", stack["recorder"].id)

    stack.until_nothing_waits()
    assert set(stack.sql("SELECT id FROM predictions").split()) == {sent_twice, last}
    assert int(stack.redis("xlen", "predictions:bad")) == len(payloads) - 2 + 1
    metrics = stack.metrics_of_recorder()
    assert metrics["records_bad_total"] == len(payloads) - 2 + 1
    assert metrics["records_repeated_total"] == 1
    stored = stack.sql("SELECT time, features, probabilities FROM predictions LIMIT 1")
    assert stored == "2026-01-02 03:04:05.678+00|{5.1,3.5,1.4,0.2}|{0.9,0.1,0}"
    assert "Traceback" not in stack["recorder"].logs()

    # Redis came back without its data, so without the group: it is made anew.
    stack.redis("flushall")
    stack.redis("xadd", "predictions", "*", "record", json.dumps(record()))
    wait_until(lambda: stack.rows() == 3, describe=stack.project.logs)


def test_postgres_away_for_a_minute_and_the_recorder_killed_meanwhile(stack: Stack) -> None:
    async def scenario() -> Load:
        async with stack.load(pause=0.1) as load:
            await load.until_answered(100)
            await off_loop(stack["db"].kill)
            back = time.monotonic() + OUTAGE_SECONDS
            await load.until_answered(100)
            # What it had taken and could not commit is with it when it dies.
            await off_loop(stack["recorder"].kill)
            await load.until_answered(100)
            await off_loop(docker, "start", stack["recorder"].id)
            while time.monotonic() < back:
                await load.until_answered(20)
            page = await off_loop(httpx.get, f"{stack.url}/predictions")
            assert page.status_code == 503
            recorder = await off_loop(stack.metrics_of_recorder)
            assert recorder["records_waiting"] > 0
            assert recorder["recorder_connected"] == 0
            await off_loop(docker, "start", stack["db"].id)
            await load.until_answered(100)
        return load

    load = asyncio.run(scenario())
    assert load.failed == {}
    stack["db"].wait_healthy()
    stack.assert_recorded_once(load.ok)
    assert stack.metrics_of_recorder()["records_waiting"] == 0
    assert httpx.get(f"{stack.url}/predictions").status_code == 200


def test_recorder_killed_again_and_again_loses_nothing_and_repeats_nothing(stack: Stack) -> None:
    async def scenario() -> Load:
        async with stack.load() as load:
            for _ in range(5):
                before = await off_loop(stack.rows)
                await load.until_answered(200)
                # It is at work: somewhere between two commits.
                await off_loop(wait_until, lambda seen=before: stack.rows() > seen)
                await off_loop(stack["recorder"].kill)
                await off_loop(docker, "start", stack["recorder"].id)
        return load

    load = asyncio.run(scenario())
    assert load.failed == {}
    stack.assert_recorded_once(load.ok)

    # Asked to stop, it ends in order.
    docker("stop", stack["recorder"].id)
    assert stack["recorder"].wait() == 0, stack["recorder"].logs()

    # What a consumer took that never comes back goes to another one. Redis lets the wait for that be set back.
    entry = stack.redis("xadd", "predictions", "*", "record", json.dumps(record()))
    group = ("predictions", "recorder")
    stack.redis("xreadgroup", "group", "recorder", "gone", "streams", "predictions", ">")
    stack.redis("xclaim", *group, "gone", "0", entry, "idle", "3600000", "justid")
    docker("start", stack["recorder"].id)
    stack.assert_recorded_once(load.ok + 1)


def test_redis_away_predictions_go_on_and_every_one_is_accounted_for(stack: Stack) -> None:
    batch = {"rows": [SETOSA] * 10_000}

    async def scenario() -> Load:
        async with stack.load() as load:
            # With the recorder away, records wait in Redis when it is killed.
            await off_loop(docker, "stop", stack["recorder"].id)
            await load.until_answered(100)
            await off_loop(wait_until, lambda: int(stack.redis("xlen", "predictions")) > 0)
            await off_loop(stack["cache"].kill)
            await load.until_answered(200)
            # More than the api holds: what is too much is lost, and counted.
            async with httpx.AsyncClient(timeout=60) as client:
                for _ in range(3):
                    answer = await client.post(f"{stack.url}/predict/batch", json=batch)
                    assert answer.status_code == 200
            await load.until_answered(100)
        return load

    load = asyncio.run(scenario())
    assert load.failed == {}
    made = load.ok + 3 * 10_000
    counts = stack.metrics_of_api()
    assert counts["records_lost_total"] > 0
    assert counts["records_waiting"] > 0
    accounted = ("records_written_total", "records_lost_total", "records_waiting")
    assert sum(counts[name] for name in accounted) == made, counts

    docker("start", stack["cache"].id)
    docker("start", stack["recorder"].id)
    stack["cache"].wait_healthy()
    stack.until_nothing_waits()
    counts = stack.metrics_of_api()
    assert counts["records_written_total"] + counts["records_lost_total"] == made
    # What Redis had acknowledged before it was killed was in its file.
    assert stack.rows() == counts["records_written_total"]


def test_databases_are_unreachable_and_the_full_stack_gives_up_what_it_can(stack: Stack) -> None:
    for service in ("db", "cache"):
        container = stack[service].inspect()
        assert not any(container["NetworkSettings"]["Ports"].values())
        (network,) = container["NetworkSettings"]["Networks"]
        assert json.loads(docker("network", "inspect", network).stdout)[0]["Internal"] is True
    for service, uid in (("db", 999), ("cache", 999), ("prometheus", 65534)):
        container = stack[service]
        status = container.exec("cat", "/proc/1/status").stdout
        assert re.search(rf"^Uid:\s+{uid}\s", status, re.MULTILINE), status
        assert re.search(r"^CapEff:\s+0+$", status, re.MULTILINE), f"{service}: {status}"
        assert container.exec("touch", "/etc/new", check=False).returncode != 0
    password = (stack.project.folder / ".secrets/database_password").read_text()
    for service in ("api", "db", "recorder"):
        assert password not in json.dumps(stack[service].inspect())
        assert password not in stack[service].logs()


def test_password_is_made_once_and_is_another_in_every_copy(lab_copy, tmp_path: Path) -> None:
    first = lab_copy("ml-prod-demo")
    password = run_secrets_script(first).read_text()
    assert re.fullmatch(r"[0-9a-f]{48}", password)
    assert run_secrets_script(first).read_text() == password
    # The folder is the lock; the file is read by the uids of several containers.
    assert oct((first / ".secrets").stat().st_mode) == "0o40700"
    second = tmp_path / "second"
    shutil.copytree(first, second, ignore=shutil.ignore_patterns(".secrets"))
    assert run_secrets_script(second).read_text() != password


@pytest.mark.parametrize(
    ("command", "file"),
    [
        (["check", "config"], "prometheus.yml"),
        (["check", "rules"], "alerts.yml"),
        (["test", "rules"], "alerts.test.yml"),
    ],
)
def test_promtool_accepts_the_configuration_and_the_alerts(run_once, command, file: str) -> None:
    options = ["--entrypoint", "promtool", "-v", f"{LAB}/prometheus:/etc/prometheus:ro"]
    done = run_once("prom/prometheus:v2.53.3", *command, f"/etc/prometheus/{file}", options=options)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("setting", "complaint"),
    [
        ("REDIS_URL=cache", "REDIS_URL='cache' is not an address like redis://cache:6379/0"),
        ("DATABASE_URL=", "DATABASE_URL='' is not an address like postgresql://app@db/predictions"),
        (
            "DATABASE_PASSWORD_FILE=/none",
            "DATABASE_PASSWORD_FILE='/none': No such file or directory",
        ),
        ("LOG_LEVEL=loud", "LOG_LEVEL='LOUD' is not one of DEBUG, INFO, WARNING, ERROR, CRITICAL"),
    ],
)
def test_recorder_refuses_a_wrong_setting_in_one_line(
    image_of, run_once, setting: str, complaint: str
) -> None:
    settings = {"REDIS_URL": "redis://cache", "DATABASE_URL": "postgresql://app@db/predictions"}
    name, _, value = setting.partition("=")
    options = [f"--env={key}={value}" for key, value in {**settings, name: value}.items()]
    done = run_once(image_of("ml-prod-demo/recorder"), options=options)
    assert done.returncode == 2
    assert done.stderr == f"error: {complaint}\n"
