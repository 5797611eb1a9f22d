"""Lab 1 on a Dask cluster, for the test files that name this module in `pytest_plugins`."""

from __future__ import annotations

import gzip
import os
import random
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from docker_cli import LABEL, Compose, Container, docker, free_port, wait_until
from repository import copy_of_git

FILES, ROWS = 24, 60_000
# In the copy under test, a file of that name kills whichever worker opens it.
POISON = "poison.csv"
OPENS = "        return io.BufferedReader(open_place(self.uri)"

Parts = dict[str, bytes]


@dataclass
class Cluster:
    """A scheduler, three workers and a store that are up, and drivers as they are asked for."""

    project: Compose

    @property
    def data(self) -> Path:
        return self.project.folder / "data"

    def start(self, source: str, out: str, **env: str) -> Container:
        """Start a driver; `source` and `out` are folders in `data`, or begin with s3://."""
        places = {"SOURCE": source, "OUT": out}
        env |= {n: at if "://" in at else f"data/{at}" for n, at in places.items()}
        options = [word for name, value in env.items() for word in ("--env", f"{name}={value}")]
        started = self.project("run", "--detach", *options, "driver")
        return Container(started.stdout.split()[-1])

    def clean(self, source: str, out: str, **env: str) -> str:
        """Run a driver to a good end and return what it said; a failure carries all logs."""
        driver = self.start(source, out, **env)
        assert driver.wait(300) == 0, self.said(driver)
        return driver.logs()

    def refuse(self, source: str, out: str, **env: str) -> str:
        """Run a driver that has to end with exit code 2, and return its lines."""
        driver = self.start(source, out, **env)
        assert driver.wait(300) == 2, self.said(driver)
        return driver.logs()

    def said(self, driver: Container) -> str:
        return f"{driver.logs()}\n{self.project.logs()}"

    def made(self, out: str) -> list[str]:
        """Return the files that have their part."""
        return sorted(path.stem for path in (self.data / out).glob("_records/*.json"))

    def wait_made(self, out: str, least: int) -> None:
        """Wait for some parts; fails where all are there already, as then nothing can be interrupted."""
        wait_until(lambda: len(self.made(out)) >= least, 120, self.project.logs)
        assert len(self.made(out)) < FILES, "too quick: give it more files"


def parts_in(folder: Path) -> Parts:
    """Return clean.csv and rejects.csv of each file, as clean/NAME.csv and rejects/NAME.csv."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for kind in ("clean", "rejects")
        for path in (folder / kind).rglob("*.csv")
    }


def some_rows(number: int) -> str:
    """CSV text with rows of every kind: quoted commas and line breaks, missing, garbled, too few fields, too many."""
    chance = random.Random(number)
    lines = ["name,age,income,churn"]
    for row in range(ROWS):
        income = "" if row % 20 == 0 else f"{chance.uniform(-1e4, 3e5):.3f}"
        lines.append(f'"{number}, ""{row}""",{chance.randint(10, 90)},{income},{row % 2}')
    lines[5] = '"two\nlines",30,4e4,1'
    lines[7] = "Grace,eighty,52000,0"
    lines[9] = "Edsger,72"
    lines[11] = "Alan,41,5,1,6,7"
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def cluster(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The cluster of a copy of the lab, with `raw` in its data."""
    folder = copy_of_git("batch-job", tmp_path_factory.mktemp("cluster"))
    code = folder / "cluster/files.py"
    assert OPENS in code.read_text()
    poison = f'        if self.name == "{POISON}":\n            __import__("os")._exit(1)\n'
    code.write_text(code.read_text().replace(OPENS, poison + OPENS))
    subprocess.run([folder / "cluster/store/make-secrets.sh"], check=True, timeout=60)

    raw = folder / "data/raw"
    (raw / "more").mkdir(parents=True)
    for number in range(FILES - 2):
        (raw / f"{number:02}.csv").write_text(some_rows(number))
    (raw / "packed.csv.gz").write_bytes(gzip.compress(some_rows(FILES).encode()))
    (raw / "more/bom.csv").write_bytes(b"\xef\xbb\xbf" + some_rows(FILES + 1).encode())

    owner = {"HOST_UID": str(os.getuid()), "HOST_GID": str(os.getgid())}
    port = {"DASHBOARD_PORT": str(free_port())}
    project = Compose(
        folder, {"COMPOSE_FILE": "cluster/compose.yaml", "WORKERS": "3", **owner, **port}
    )
    try:
        project.up("--build", "worker", "store")
        project("build", "driver")
        yield Cluster(project)
    finally:
        project.down()


@pytest.fixture(scope="module")
def expected(cluster: Cluster, image_of: Callable[..., str]) -> Parts:
    """What the one-container job makes of the files of `raw`, one by one."""
    one_by_one = """
        cd data/raw
        find * -type f | while read -r name; do
          part=${name%.gz}; part=${part%.csv}; at=/app/data/expected
          mkdir -p "$(dirname "$at/clean/$part")" "$(dirname "$at/rejects/$part")"
          RAW_PATH=$name CLEAN_PATH=$at/clean/$part.csv REJECTS_PATH=$at/rejects/$part.csv \
            REPORT_PATH=/tmp/report.html python /app/clean_data.py || exit
        done"""
    user = f"{os.getuid()}:{os.getgid()}"
    docker(
        "run", "--rm", "--label", LABEL, "--user", user, "--volume", f"{cluster.data}:/app/data",
        image_of("batch-job"), "sh", "-c", one_by_one,
    )  # fmt: skip
    parts = parts_in(cluster.data / "expected")
    assert len(parts) == 2 * FILES
    return parts
