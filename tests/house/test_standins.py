"""The stand-ins for official images behave as those do, in what the labs use of them.

They are built as a machine without a registry builds them; where the official image is present, it is tested instead.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from docker_cli import LABEL, Container, docker, free_port
from repository import ROOT

STANDINS = ROOT / "setup/offline/standins"
HARDENED = ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges:true"]
SCRIPT = "set -euo pipefail; . setup/lib.sh; . setup/engine.sh; . setup/images.sh; ensure_image"


@pytest.fixture(scope="session")
def base(engine: None) -> Callable[[str], str]:
    """`base("redis:8")` makes sure of a base image the way `make` does, and returns its name."""

    def ensure(image: str) -> str:
        done = subprocess.run(
            ["bash", "-c", f"{SCRIPT} {image}"],
            cwd=ROOT, capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return image

    return ensure


@pytest.fixture
def volume(engine: None):
    """A named volume. Ask for it before `run`: it can be removed only after the containers."""
    name = docker("volume", "create", "--label", LABEL).stdout.strip()
    yield name
    docker("volume", "rm", "--force", name)


def config(image: str) -> dict:
    return json.loads(docker("image", "inspect", image).stdout)[0]["Config"]


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (
            "postgres:17",
            {
                "ExposedPorts": {"5432/tcp": {}},
                "Volumes": {"/var/lib/postgresql/data": {}},
                "StopSignal": "SIGINT",
                "Cmd": ["postgres"],
            },
        ),
        (
            "redis:8",
            {
                "ExposedPorts": {"6379/tcp": {}},
                "Volumes": None,
                "WorkingDir": "/data",
                "Cmd": ["redis-server"],
            },
        ),
        (
            "prom/prometheus:v2.53.5",
            {
                "ExposedPorts": {"9090/tcp": {}},
                "Volumes": {"/prometheus": {}},
                "WorkingDir": "/prometheus",
                "User": "nobody",
                "Entrypoint": ["/bin/prometheus"],
            },
        ),
        (
            "nginx:1.30",
            {
                "ExposedPorts": {"80/tcp": {}},
                "StopSignal": "SIGQUIT",
                "Cmd": ["nginx", "-g", "daemon off;"],
            },
        ),
        (
            "registry:3",
            {
                "ExposedPorts": {"5000/tcp": {}},
                "Volumes": {"/var/lib/registry": {}},
                "Entrypoint": ["/entrypoint.sh"],
                "Cmd": ["/etc/distribution/config.yml"],
            },
        ),
    ],
)
def test_the_image_declares_what_the_official_one_does(base, image: str, expected: dict) -> None:
    actual = config(base(image))
    assert {key: actual.get(key) for key in expected} == expected


def test_every_standin_says_that_it_is_one(base) -> None:
    """`make clean` and a person at `docker images` can tell it from the official image."""
    name = base("redis:8")
    labels = config(name)["Labels"] or {}
    assert labels.get("labs.standin") == name or "labs.standin" not in labels  # the official one
    for file in STANDINS.rglob("*.Dockerfile"):
        first, second, *_ = file.read_text().splitlines()
        assert first.startswith("# Stand-in for "), file
        assert second.startswith("# What differs from "), file


def sql(db: Container, query: str, user: str = "app", database: str = "shop") -> str:
    return db.exec("psql", "-U", user, "-d", database, "-Atc", query).stdout.strip()


def postgres_is_ready(db: Container, user: str = "app") -> Callable[[], bool]:
    def ready() -> bool:
        assert db.is_running(), db.logs()
        # Over TCP: the socket answers while the cluster is still being set up.
        probe = ("pg_isready", "-h", "127.0.0.1", "-U", user)
        return db.exec(*probe, check=False).returncode == 0

    return ready


def test_postgres_unprivileged_with_secret_init_scripts_and_a_volume(
    base, volume: str, run, tmp_path: Path
) -> None:
    (tmp_path / "password").write_text("s3cret with 'quotes'\n")
    init = tmp_path / "init"
    init.mkdir()
    (init / "1.sql").write_text("CREATE TABLE item (name text); INSERT INTO item VALUES ('a');")
    (init / "2.sh").write_text(
        'psql -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d "$POSTGRES_DB"'
        " -c \"INSERT INTO item VALUES ('b')\"\n"
    )
    for path in (tmp_path, init, init / "1.sql", init / "2.sh", tmp_path / "password"):
        path.chmod(0o755)
    options = [
        *HARDENED,
        "--user", "999:999",
        "--tmpfs", "/tmp",
        "--tmpfs", "/run/postgresql:uid=999,gid=999,mode=0755",
        "-e", "POSTGRES_USER=app",
        "-e", "POSTGRES_DB=shop",
        "-e", "POSTGRES_PASSWORD_FILE=/run/password",
        "-v", f"{tmp_path}/password:/run/password:ro",
        "-v", f"{init}:/docker-entrypoint-initdb.d:ro",
        "-v", f"{volume}:/var/lib/postgresql/data",
    ]  # fmt: skip
    db = run(base("postgres:17"), options=options)
    db.wait_until(postgres_is_ready(db))
    assert sql(db, "SELECT string_agg(name, ',' ORDER BY name) FROM item") == "a,b"
    assert sql(db, "SELECT datcollate FROM pg_database WHERE datname = 'shop'") == "en_US.utf8"

    # From another machine the password is asked for, and the one in the file is it.
    address = db.inspect()["NetworkSettings"]["Networks"]["bridge"]["IPAddress"]
    login = ("psql", "-h", address, "-U", "app", "-d", "shop", "-Atc", "SELECT 'in'")
    assert db.exec("env", "PGPASSWORD=s3cret with 'quotes'", *login).stdout == "in\n"
    refused = db.exec("env", "PGPASSWORD=wrong", *login, check=False)
    assert "password authentication failed" in refused.stderr

    # docker stop ends it in an orderly way although a client is connected.
    docker(
        "exec", "--detach", db.id, "psql", "-U", "app", "-d", "shop", "-c", "SELECT pg_sleep(600)"
    )
    docker("stop", "--time", "60", db.id)
    assert db.wait() == 0, db.logs()

    # A new container on the same volume has the data and runs no init script again.
    again = run(base("postgres:17"), options=options)
    again.wait_until(postgres_is_ready(again))
    assert "was not properly shut down" not in again.logs()
    assert sql(again, "SELECT count(*) FROM item") == "2"


def test_postgres_started_as_root_gives_root_up_and_takes_settings(base, run) -> None:
    options = [
        "-e", "POSTGRES_PASSWORD=x",
        "-e", "PGDATA=/var/lib/postgresql/data/inner",
        "-e", "POSTGRES_INITDB_ARGS=--data-checksums",
    ]  # fmt: skip
    db = run(base("postgres:17"), "-c", "max_connections=7", options=options)
    db.wait_until(postgres_is_ready(db, "postgres"))
    assert sql(db, "SHOW max_connections", "postgres", "postgres") == "7"
    assert sql(db, "SHOW data_checksums", "postgres", "postgres") == "on"
    assert sql(db, "SHOW data_directory", "postgres", "postgres").endswith("/inner")
    assert "999" in db.exec("stat", "-c", "%u", "/proc/1").stdout


def test_postgres_without_a_password_refuses_to_start(base, run_once) -> None:
    done = run_once(base("postgres:17"))
    assert done.returncode == 1
    assert "superuser password is not specified" in done.stderr


@pytest.mark.parametrize("user", ["999:999", ""])
def test_redis_serves_the_network_and_keeps_its_data(base, volume: str, run, user: str) -> None:
    hardened = [*HARDENED, "--user", user] if user else []
    options = [*hardened, "-v", f"{volume}:/data"]
    first = run(base("redis:8"), "redis-server", "--appendonly yes", '--save ""', options=options)
    first.wait_until(lambda: "PONG" in first.exec("redis-cli", "ping", check=False).stdout)
    # Not over loopback: protected mode refuses exactly this.
    address = first.inspect()["NetworkSettings"]["Networks"]["bridge"]["IPAddress"]
    assert first.exec("redis-cli", "-h", address, "set", "key", "value").stdout == "OK\n"
    assert first.exec("stat", "-c", "%u", "/proc/1").stdout == "999\n"
    first.kill()
    first.wait()

    second = run(base("redis:8"), "--appendonly", "yes", options=options)
    second.wait_until(lambda: "PONG" in second.exec("redis-cli", "ping", check=False).stdout)
    assert second.exec("redis-cli", "get", "key").stdout == "value\n"


def test_prometheus_reads_its_file_and_writes_its_volume(
    base, volume: str, run, tmp_path: Path
) -> None:
    rules = "scrape_configs: [{job_name: self, static_configs: [{targets: ['127.0.0.1:9090']}]}]\n"
    (tmp_path / "prometheus.yml").write_text(rules)
    (tmp_path / "prometheus.yml").chmod(0o644)
    mounts = [
        "-v", f"{tmp_path}/prometheus.yml:/etc/prometheus/prometheus.yml:ro",
        "-v", f"{volume}:/prometheus",
    ]  # fmt: skip
    prometheus = run(base("prom/prometheus:v2.53.5"), options=[*HARDENED, *mounts])
    probe = ("promtool", "check", "ready", "--url=http://127.0.0.1:9090")
    prometheus.wait_until(lambda: prometheus.exec(*probe, check=False).returncode == 0)
    assert "wal" in prometheus.exec("ls", "/prometheus").stdout
    targets = prometheus.exec("promtool", "query", "instant", "http://127.0.0.1:9090", "vector(1)")
    assert "=> 1" in targets.stdout
    shown = prometheus.exec("promtool", "check", "config", "/etc/prometheus/prometheus.yml")
    assert "SUCCESS" in shown.stdout


def test_nginx_serves_its_page_and_what_is_in_conf_d(base, run, tmp_path: Path) -> None:
    (tmp_path / "site.conf").write_text("server { listen 8080; return 200 'ours'; }\n")
    (tmp_path / "site.conf").chmod(0o644)
    port = free_port()
    nginx = run(
        base("nginx:1.30"),
        options=[
            "-v", f"{tmp_path}/site.conf:/etc/nginx/conf.d/site.conf:ro",
            "-p", f"127.0.0.1:{port}:8080",
            "-p", "127.0.0.1::80",
        ],
    )  # fmt: skip
    nginx.wait_until(lambda: answered(f"http://127.0.0.1:{port}/") == "ours")
    assert "nginx" in answered(f"http://127.0.0.1:{nginx.host_port(80)}/")
    nginx.wait_until(lambda: "GET / HTTP/1.1" in nginx.logs())
    workers = nginx.exec("sh", "-c", "stat -c %u /proc/[0-9]*").stdout.split()
    assert "101" in workers


def answered(url: str) -> str:
    try:
        return httpx.get(url).text
    except httpx.TransportError:
        return ""


def test_registry_takes_an_image_and_hands_it_out(base, run, tmp_path: Path) -> None:
    port = free_port()
    registry = run(base("registry:3"), options=["-p", f"127.0.0.1:{port}:5000"])
    registry.wait_until(lambda: answered(f"http://127.0.0.1:{port}/v2/") == "{}")
    name = f"localhost:{port}/labs-test-small:1"
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /hello\n")
    docker("build", "-q", "-t", name, str(tmp_path))
    try:
        docker("push", name)
        docker("image", "rm", name)
        docker("pull", name)
        tags = httpx.get(f"http://127.0.0.1:{port}/v2/labs-test-small/tags/list").json()
        assert tags == {"name": "labs-test-small", "tags": ["1"]}
    finally:
        docker("image", "rm", name, check=False)
