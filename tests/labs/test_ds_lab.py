"""Lab 2 without its page: the image, its settings, any uid, notebooks, threads, added packages."""

from __future__ import annotations

import importlib.util
import json
import os
import secrets
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from docker_cli import Compose, Container, free_port
from posture import violations_of_project
from repository import ROOT

LAB = ROOT / "ds-lab"
NOTEBOOKS = sorted((LAB / "notebooks").glob("*.ipynb"))
POSTURE = ["--read-only", "--tmpfs=/tmp:exec,mode=1777", "--cap-drop=ALL"]
POSTURE += ["--security-opt=no-new-privileges:true"]

# Runs each argument as a cell of one notebook, in one kernel, and prints what the cells printed.
RUN_CELLS = """
import sys, nbformat, nbclient
cells = [nbformat.v4.new_code_cell(source) for source in sys.argv[1:]]
notebook = nbformat.v4.new_notebook(cells=cells)
nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
print("".join(out.get("text", "") for cell in cells for out in cell.outputs))
"""

# Types a command into a new terminal of the server and prints what comes back, until `42` does.
RUN_TERMINAL = """
import json, os, sys, time, urllib.request, websocket
api, token = "127.0.0.1:8888", "token " + sys.argv[1]
request = urllib.request.Request(f"http://{api}/api/terminals", b"", {"Authorization": token})
name = json.load(urllib.request.urlopen(request))["name"]
socket = websocket.create_connection(
    f"ws://{api}/terminals/websocket/{name}", header={"Authorization": token}, timeout=30)
socket.send(json.dumps(["stdin", sys.argv[2] + "\\r"]))
said = ""
while "=42" not in said:
    kind, text = json.loads(socket.recv())[:2]
    said += text if kind == "stdout" else ""
print(said)
"""


@pytest.fixture
def image(image_of: Callable[..., str]) -> str:
    return image_of("ds-lab")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty notebooks folder that every uid may write to."""
    made = tmp_path / "notebooks"
    made.mkdir()
    made.chmod(0o777)
    return made


def auth(token: str) -> dict[str, str]:
    return {"Authorization": f"token {token}"}


def make_token(lab: Path) -> str:
    """Write a token the way the README does, readable by any uid that a test runs as."""
    token = secrets.token_hex(24)
    (lab / ".secrets").mkdir()
    (lab / ".secrets" / "jupyter_token").write_text(token + "\n")
    return token


def run_cells(container: Container, *cells: str) -> str:
    return container.exec("python", "-c", RUN_CELLS, *cells).stdout


# --- the image


def test_nothing_is_compiled_at_start(
    image: str, run_once: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    code = (
        "import os, sys, jupyterlab.labapp, ipykernel.kernelapp, matplotlib.pyplot, sklearn.svm\n"
        "specs = [m.__spec__ for m in list(sys.modules.values()) if getattr(m, '__spec__', None)]\n"
        "cached = [s.cached for s in specs if s.has_location and (s.origin or '').endswith('.py')]\n"
        "missing = [path for path in cached if not os.path.exists(path)]\n"
        "print(len(cached), *(path for path in missing if '/cpu_limit.' not in path))\n"
    )
    done = run_once(image, "python", "-c", code)
    count, *missing = done.stdout.split()
    assert int(count) > 1000, done
    assert missing == []


# --- settings


@pytest.mark.parametrize(
    ("mode", "text", "says"),
    [
        (0o644, "\n", "JUPYTER_TOKEN_FILE=/token is empty"),
        (0o000, "secret", "JUPYTER_TOKEN_FILE=/token: Permission denied for uid 1000"),
    ],
)
def test_a_bad_token_file_is_one_clear_line(
    image: str,
    run_once: Callable[..., subprocess.CompletedProcess[str]],
    tmp_path: Path,
    mode: int,
    text: str,
    says: str,
) -> None:
    path = tmp_path / "token"
    path.write_text(text)
    path.chmod(mode)
    mount = ["-v", f"{path}:/token:ro", "-e", "JUPYTER_TOKEN_FILE=/token"]
    # Not even root could read it without its capabilities; the image's own uid cannot in any case.
    done = run_once(image, options=[*POSTURE, "-v", "/workspace", *mount])
    assert done.returncode == 2
    assert done.stderr.strip().splitlines() == [done.stderr.strip()]
    assert says in done.stderr


def test_a_folder_that_cannot_be_written_is_one_clear_line(
    image: str, run_once: Callable[..., subprocess.CompletedProcess[str]], folder: Path
) -> None:
    folder.chmod(0o755)
    other = os.getuid() + 1
    done = run_once(image, options=[*POSTURE, "--user", str(other), "-v", f"{folder}:/workspace"])
    assert done.returncode == 2
    assert done.stderr.strip() == (
        f"ds-lab: uid {other} cannot write to the notebooks folder; "
        "start with HOST_UID=$(id -u) HOST_GID=$(id -g)"
    )


def test_without_any_token_setting_a_random_one_is_made_and_the_health_check_knows_it(
    image: str,
    run: Callable[..., Container],
    run_once: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    none = run_once(image, "python", "/opt/healthcheck.py")
    assert (none.returncode, none.stderr) == (
        1,
        "Jupyter does not answer: no server has started here\n",
    )
    container = run(image, options=["-p", "127.0.0.1::8888"])
    container.wait_healthy()
    url = f"http://127.0.0.1:{container.host_port(8888)}/api/status"
    assert httpx.get(url).status_code == 403
    # The server is frozen from outside; the check must notice and must not hang with it.
    container.kill("STOP")
    frozen = container.exec("python", "/opt/healthcheck.py", check=False)
    container.kill("CONT")
    assert (frozen.returncode, frozen.stderr) == (1, "Jupyter does not answer: timed out\n")


# --- who owns what


@pytest.mark.parametrize("uid", [0, 1001, 65534])
def test_any_uid_works_and_owns_its_notebooks(
    image: str, run: Callable[..., Container], folder: Path, tmp_path: Path, uid: int
) -> None:
    (tmp_path / "token").write_text("from-the-file\n")
    container = run(
        image,
        options=[*POSTURE, "--user", f"{uid}:{uid}", "-v", f"{folder}:/workspace", "--init",
                 "-p", "127.0.0.1::8888", "-v", f"{tmp_path / 'token'}:/token:ro",
                 "-e", "JUPYTER_TOKEN_FILE=/token", "-e", "JUPYTER_TOKEN=t"],
    )  # fmt: skip
    container.wait_healthy()
    url = f"http://127.0.0.1:{container.host_port(8888)}/api/contents/mine.txt"
    assert httpx.get(url, headers=auth("from-the-file")).status_code == 403, "the variable wins"
    body = {"type": "file", "format": "text", "content": "saved"}
    assert httpx.put(url, headers=auth("t"), json=body).status_code == 201
    saved = folder / "mine.txt"
    assert (saved.read_text(), saved.stat().st_uid, saved.stat().st_gid) == ("saved", uid, uid)

    command = 'echo "$(id -u)=$((6*7))"'
    said = container.exec("python", "-c", RUN_TERMINAL, "t", command).stdout
    assert f"{uid}=42" in said, said

    assert httpx.delete(url, headers=auth("t")).status_code == 204
    assert list(folder.glob(".Trash*")) == [], "a deleted file is still there"
    container.kill("TERM")
    assert container.wait(timeout=15) == 0


# --- notebooks


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_notebook_is_committed_without_outputs(path: Path) -> None:
    cells = json.loads(path.read_text())["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert code
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)


def execute(
    image: str, folder: Path, run_once: Callable[..., subprocess.CompletedProcess[str]]
) -> dict[str, list[dict]]:
    """Run every notebook of `folder` in the image, offline; return each one's code cells by its name."""
    mine = f"{os.getuid()}:{os.getgid()}"
    done = run_once(
        image, "sh", "-c", "jupyter nbconvert --to notebook --execute --inplace *.ipynb",
        options=[*POSTURE, "--network=none", "--user", mine, "-v", f"{folder}:/workspace"],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return {
        path.name: [c for c in json.loads(path.read_text())["cells"] if c["cell_type"] == "code"]
        for path in folder.glob("*.ipynb")
    }


def printed(cells: list[dict]) -> str:
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert not [out for out in outputs if out.get("name") == "stderr"], "a warning was printed"
    return "".join("".join(output.get("text", [])) for output in outputs)


def ends_with_a_plot(cells: list[dict]) -> bool:
    # An empty pair of axes is a few thousand characters.
    return len(cells[-1]["outputs"][-1]["data"].get("image/png", "")) > 20_000


def test_notebooks_run_in_the_image_and_end_with_a_plot(
    image: str, run_once: Callable[..., subprocess.CompletedProcess[str]], folder: Path
) -> None:
    for path in NOTEBOOKS:
        (folder / path.name).write_bytes(path.read_bytes())
    first, second = map(execute(image, folder, run_once).get, [p.name for p in NOTEBOOKS])
    assert ends_with_a_plot(first)
    assert ends_with_a_plot(second)
    assert "178 rows, 13 measurements; grower: A, B, C" in printed(first)
    assert "test accuracy: 0.98" in printed(second)
    assert "the same 719 answers" in printed(second)
    assert (folder / "digits.joblib").stat().st_uid == os.getuid()


def test_first_notebook_uses_the_table_of_lab_1(
    image: str, run_once: Callable[..., subprocess.CompletedProcess[str]], folder: Path
) -> None:
    (folder / "01.ipynb").write_bytes(NOTEBOOKS[0].read_bytes())
    ages = range(18, 70)
    rows = [f"{age},{30000 + 700 * (age * 7 % 50)}.5,{int(age > 50)},18-30" for age in ages]
    (folder / "clean.csv").write_text("\n".join(["age,income,churn,age_bucket", *rows, ""]))
    cells = execute(image, folder, run_once)["01.ipynb"]
    assert ends_with_a_plot(cells)
    assert "52 rows, 2 measurements; churn: stayed, left" in printed(cells)


# --- threads

COUNT_THREADS = """
import os, numpy, sklearn.svm, joblib, threadpoolctl
pools = {pool["internal_api"]: pool["num_threads"] for pool in threadpoolctl.threadpool_info()}
print(pools, os.cpu_count(), os.process_cpu_count(), joblib.cpu_count())
"""


@pytest.mark.parametrize("cpus", [1, 2])
def test_a_kernel_uses_as_many_threads_as_it_has_cpus(
    image: str, run_once: Callable[..., subprocess.CompletedProcess[str]], cpus: int
) -> None:
    cpus = min(cpus, os.cpu_count() or 1)
    options = [*POSTURE, f"--cpus={cpus}"]
    done = run_once(image, "python", "-c", RUN_CELLS, COUNT_THREADS, options=options)
    pools = {"openblas": cpus, "openmp": cpus}
    found, counts = done.stdout.strip().rsplit("}", 1)
    assert json.loads(found.replace("'", '"') + "}") == pools, done.stdout + done.stderr
    assert counts.split() == [str(cpus)] * 3


@pytest.fixture
def cpu_limit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> types.ModuleType:
    """The lab's module, looking at a control group in `tmp_path`."""
    for variable in ("OMP_NUM_THREADS", "PYTHON_CPU_COUNT"):
        monkeypatch.setenv(variable, "1")
    spec = importlib.util.spec_from_file_location("cpu_limit", LAB / "cpu_limit.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "CGROUP", str(tmp_path))
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)), raising=False)
    return module


@pytest.mark.parametrize(
    ("files", "threads"),
    [
        ({"cpu.max": "100000 100000"}, 1),
        ({"cpu.max": "150000 100000"}, 2),
        ({"cpu.max": "50000 100000"}, 1),
        ({"cpu.max": "3200000 100000"}, 16),
        ({"cpu.max": "max 100000"}, 16),
        ({"cpu/cpu.cfs_quota_us": "100000", "cpu/cpu.cfs_period_us": "100000"}, 1),
        ({"cpu/cpu.cfs_quota_us": "250000", "cpu/cpu.cfs_period_us": "100000"}, 3),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, 16),
        ({}, 16),
    ],
)
def test_threads_follow_the_control_group(
    cpu_limit: types.ModuleType, tmp_path: Path, files: dict[str, str], threads: int
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text + "\n")
    assert cpu_limit.threads() == threads


# --- packages


def test_packages_can_be_added_for_good_and_tried_out(compose: Callable[..., Compose]) -> None:
    """In the lab copied out, with the posture of its compose file.

    Trying out takes one kernel, no restart, and compiled code: a user site on the path, and executable.
    """
    uid = str(os.getuid() or 1000)
    project = compose("ds-lab", PORT=str(free_port()), HOST_UID=uid, HOST_GID=uid)
    make_token(project.folder)
    (project.folder / "notebooks").chmod(0o777)

    source = project.folder / "requirements.in"
    source.write_text(source.read_text() + "humanize\n")
    # As setup/lock.sh does.
    subprocess.run(
        [Path(sys.executable).with_name("uv"), "pip", "compile", "--quiet", "--universal",
         "--generate-hashes", "--python-version", "3.13", "--no-emit-index-url",
         "--no-emit-find-links", "requirements.in", "-o", "requirements.txt"],
        cwd=project.folder, check=True,
    )  # fmt: skip
    compose_file = project.folder / "compose.yaml"
    compose_file.write_text(compose_file.read_text().replace("image: ds-lab", "image: labs-test-ds-lab-humanize"))  # fmt: skip
    project.up("--build")
    container = project.container("jupyter")
    code = "import humanize; print(humanize.naturalsize(680e6))"
    assert container.exec("python", "-c", code).stdout == "680.0 MB\n"
    said = run_cells(
        container, "%pip install --quiet regex", "import regex; print(regex.__file__, 6 * 7)"
    )
    assert "/tmp/.local/lib/python3.13/site-packages/regex/" in said
    assert "42" in said
    assert violations_of_project(project.project) == []
