"""Fixtures: build an image once a session, run containers and compose projects, remove them whatever happens.

A test that takes `engine`, or any fixture built on it, needs Docker and gets the marker `docker`; the others
run with `make test-unit`. When a test fails, the logs of its containers are part of the report.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from docker_cli import LABEL, Compose, Container, docker, sweep
from newcomer import Newcomer, a_newcomer
from readme import BLOCKS_NOT_RUN, BLOCKS_RUN
from repository import LABS, ROOT, copy_of_git

# `make test` runs the suite; the makes that the suite runs are nobody's sub-make.
for variable in ("MAKELEVEL", "MAKEFLAGS", "MFLAGS"):
    os.environ.pop(variable, None)

# Under nohup, Ctrl-C is ignored, and what is started there would ignore it as well.
signal.signal(signal.SIGINT, signal.default_int_handler)

# As the Makefile has it: the same content is the same image.
os.environ["BUILDX_NO_DEFAULT_ATTESTATIONS"] = "1"

# The workers take a file each and end together when the long ones come first. The bundle claims all images: beside it runs
# what builds under names of its own. Those that claim the default ports are apart.
LONG_FILES = {
    name: place
    for place, name in enumerate(
        (
            "test_bundle",
            "test_gpu_train",
            "test_batch_job_memory",
            "test_ml_prod_demo_faults",
            "test_again",
            "test_proof_several_services",
            "test_proof_the_labs",
            "test_proof_in_production",
            "test_ml_prod_demo_reload",
            "test_readmes",
            "test_security",
            "test_mlflow_flask",
            "test_mlflow_flask_soak",
            "test_ml_prod_demo_soak",
            "test_mlflow_flask_outages",
            "test_mlflow_flask_service",
            "test_gpu_train_processes",
            "test_gpu_train_resume",
            "test_batch_job",
            "test_copies",
            "test_proof_images_that_last",
            "test_proof_first_steps",
            "test_proof_processes_and_files",
        )
    )
}

LOGS = pytest.StashKey[list[Callable[[], str]]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--lab", choices=LABS, help="only the tests of this lab")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes `lab` runs once for every lab folder on disk."""
    if "lab" in metafunc.fixturenames:
        metafunc.parametrize("lab", LABS)


def belongs_to(item: pytest.Function, lab: str) -> bool:
    callspec = getattr(item, "callspec", None)
    if callspec and callspec.params.get("lab") == lab:
        return True
    return item.path.stem.startswith(f"test_{lab.replace('-', '_')}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Function]) -> None:
    items.sort(key=lambda item: LONG_FILES.get(item.path.stem, len(LONG_FILES)))
    for item in items:
        if "engine" in item.fixturenames:
            item.add_marker("docker")
    if lab := config.getoption("--lab"):
        dropped = [item for item in items if not belongs_to(item, lab)]
        config.hook.pytest_deselected(items=dropped)
        items[:] = [item for item in items if belongs_to(item, lab)]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item):
    report = yield
    if report.failed:
        for read_log in item.stash.get(LOGS, []):
            report.sections.append(("container log", read_log()))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [report for group in terminalreporter.stats.values() for report in group]
    said = [
        property
        for report in reports
        if getattr(report, "when", None) == "call"
        for property in report.user_properties
    ]
    if run := sum(number for name, number in said if name == BLOCKS_RUN):
        not_run = sum(number for name, number in said if name == BLOCKS_NOT_RUN)
        terminalreporter.section("documents")
        terminalreporter.line(f"{run} blocks of commands ran, {not_run} are marked 'not run'")


@pytest.fixture(scope="session")
def engine() -> Iterator[None]:
    """A Docker engine that answers, swept clean of what an earlier run left."""
    sweep()
    yield
    sweep()


@pytest.fixture(scope="session")
def image_of(engine: None) -> Callable[..., str]:
    """`image_of("batch-job", target=None, dockerfile="Dockerfile")` builds once and returns the tag."""
    built: dict[tuple, str] = {}

    def build(lab: str, target: str | None = None, dockerfile: str = "Dockerfile") -> str:
        key = (lab, target, dockerfile)
        if key not in built:
            name = "-".join(
                ["labs-test", lab, dockerfile.lower().replace("/", "-"), target or "final"]
            )
            options = ["--target", target] if target else []
            docker(
                "build", "-t", name, "-f", str(ROOT / lab / dockerfile), *options, str(ROOT / lab),
                timeout=1200,
            )  # fmt: skip
            built[key] = name
        return built[key]

    return build


@pytest.fixture
def run(engine: None, request: pytest.FixtureRequest) -> Iterator[Callable[..., Container]]:
    """`run(image, *command, options=["--read-only"])` starts a container and returns it.

    `options` go to `docker run`. Nothing waits for its end: use `.wait()`, `.wait_until(predicate)`.
    """
    started: list[Container] = []
    logs = request.node.stash.setdefault(LOGS, [])

    def start(image: str, *command: str, options: list[str] | None = None) -> Container:
        made = docker("run", "--detach", "--label", LABEL, *(options or []), image, *command)
        container = Container(made.stdout.strip())
        started.append(container)
        logs.append(container.logs)
        return container

    yield start
    if started:
        docker("rm", "--force", "--volumes", *(container.id for container in started))


@pytest.fixture
def run_once(engine: None) -> Callable[..., subprocess.CompletedProcess[str]]:
    """`run_once(image, *command, options=[...])` runs a container to its end: exit code, stdout, stderr."""

    def start(
        image: str, *command: str, options: list[str] | None = None, timeout: float = 300
    ) -> subprocess.CompletedProcess[str]:
        arguments = ["run", "--rm", "--label", LABEL, *(options or []), image, *command]
        return docker(*arguments, check=False, timeout=timeout)

    return start


@pytest.fixture
def newcomer(engine: None) -> Iterator[Newcomer]:
    with a_newcomer() as newcomer:
        yield newcomer


@pytest.fixture
def lab_copy(tmp_path: Path) -> Callable[[str], Path]:
    """`lab_copy("batch-job")` copies a lab alone to an empty folder and returns it."""
    return lambda lab: copy_of_git(lab, tmp_path)


@pytest.fixture
def compose(
    engine: None, lab_copy: Callable[[str], Path], request: pytest.FixtureRequest
) -> Iterator[Callable[..., Compose]]:
    """`compose("ds-lab", PORT="8890")` copies the lab and returns it as a project that is not yet up."""
    made: list[Compose] = []
    logs = request.node.stash.setdefault(LOGS, [])

    def make(lab: str, **env: str) -> Compose:
        owner = {"HOST_UID": str(os.getuid()), "HOST_GID": str(os.getgid())}
        project = Compose(lab_copy(lab), {**owner, **env})
        made.append(project)
        logs.append(project.logs)
        return project

    yield make
    for project in made:
        project.down()
