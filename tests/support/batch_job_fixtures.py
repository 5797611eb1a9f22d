"""Lab 1 run in this process, for the test files that name this module in `pytest_plugins`."""

from __future__ import annotations

import csv
import signal
from dataclasses import dataclass
from pathlib import Path

import pytest
from clean_data import main


@dataclass
class Run:
    """What one run of the job has said and written."""

    code: int
    out: str
    err: str
    data: Path

    @property
    def clean(self) -> str:
        return (self.data / "clean.csv").read_text()

    @property
    def rejects(self) -> list[list[str]]:
        with (self.data / "rejects.csv").open(newline="") as file:
            return list(csv.reader(file))[1:]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "data").mkdir()
    monkeypatch.chdir(tmp_path)
    handler = signal.getsignal(signal.SIGTERM)
    yield tmp_path / "data"
    signal.signal(signal.SIGTERM, handler)


@pytest.fixture
def run_job(data: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]):
    """`run_job(raw text or bytes, INCOME_MAX="5")` runs the job on a file with that content."""

    def start(raw: str | bytes | None = None, **env: str) -> Run:
        if raw is not None:
            (data / "raw.csv").write_bytes(raw.encode() if isinstance(raw, str) else raw)
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        capfd.readouterr()
        code = main()
        said = capfd.readouterr()
        return Run(code, said.out, said.err, data)

    return start
