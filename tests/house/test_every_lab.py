"""What is true of every lab folder on disk. A new lab is covered with no edit here."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from compose_files import files, services
from repository import LABS, ROOT

# Sections 4 and 5 of the CIS Docker Benchmark 1.6, as far as a compose file decides them.
NEVER = (
    "privileged",
    "pid",
    "ipc",
    "uts",
    "userns_mode",
    "cgroup",
    "devices",
    "cap_add",
    "container_name",
)


def dockerfiles(lab: str) -> list[Path]:
    return sorted(
        path
        for path in (ROOT / lab).rglob("Dockerfile*")
        if not path.name.endswith(".dockerignore")
    )


def last_value(dockerfile: Path, instruction: str) -> str:
    found = re.findall(rf"^{instruction} +(.+)$", dockerfile.read_text(), flags=re.MULTILINE)
    assert found, f"{dockerfile} has no {instruction}"
    return found[-1]


def test_there_are_labs() -> None:
    assert LABS


def test_lab_has_the_files_of_a_lab(lab: str) -> None:
    folder = ROOT / lab
    for name in ("README.md", "compose.yaml", ".dockerignore", ".cleanup"):
        assert (folder / name).is_file() or list(folder.glob(f"*/{name}")), f"{lab} has no {name}"
    assert dockerfiles(lab)
    assert list(folder.rglob("requirements.in"))


def test_lab_does_not_reach_outside_its_folder(lab: str) -> None:
    for path in (ROOT / lab).rglob("*"):
        if path.suffix in {".py", ".yaml", ".yml", ".sh", ".conf"} or path in dockerfiles(lab):
            assert "../" not in path.read_text(), (
                f"{path.relative_to(ROOT)} reaches outside the lab"
            )


def test_requirements_are_locked_with_hashes(lab: str) -> None:
    for source in (ROOT / lab).rglob("requirements*.in"):
        locked = source.with_suffix(".txt").read_text()
        pins = re.findall(
            r"^([a-z0-9][^\s=]*)==(?:.*\\\n)((?: {4}--hash=sha256:\w{64}(?: \\)?\n?)+)",
            locked,
            re.MULTILINE,
        )
        names = re.findall(r"^([a-z0-9][a-z0-9._\[\],-]*) *(?:==|@)", locked, re.MULTILINE)
        assert names
        assert [name for name, _ in pins] == names, f"{source}: not every package has a hash"
        assert "index-url" not in locked
        assert "file:" not in locked


@pytest.mark.parametrize(
    "source", sorted(path for lab in LABS for path in (ROOT / lab).rglob("requirements*.in"))
)
def test_what_is_asked_for_is_locked(source: Path) -> None:
    asked = re.findall(r"^([A-Za-z0-9][\w.-]*)", source.read_text(), re.MULTILINE)
    locked = re.findall(r"^([a-z0-9][\w.-]*)", source.with_suffix(".txt").read_text(), re.MULTILINE)
    missing = {name.lower().replace("_", "-") for name in asked} - set(locked)
    assert not missing, f"run 'make lock': {source} asks for {missing}"


def test_dockerfile_style(lab: str) -> None:
    for path in dockerfiles(lab):
        text = path.read_text()
        assert not re.search(r"^# *syntax=", text, re.MULTILINE), (
            f"{path}: asks a registry at every build"
        )
        assert ":latest" not in text
        assert re.fullmatch(r"\d+(:\d+)?", last_value(path, "USER")), f"{path}: USER is not numeric"
        assert last_value(path, "USER").split(":")[0] != "0", f"{path}: runs as root"
        assert re.match(r'\["', re.findall(r"^(?:CMD|ENTRYPOINT) +(.+)$", text, re.MULTILINE)[-1])
        assert "ADD http" not in text
        assert 'org.opencontainers.image.licenses="MIT"' in text, f"{path}: see posture.py"
        assert "image.vendor" not in text, f"{path}: a copy is not made by this repository"


def test_images_from_elsewhere_carry_a_tag_and_ours_are_named_by_compose(lab: str) -> None:
    for name, service in services(lab):
        image: str = service.get("image", "")
        if "build" in service:
            assert not image, f"{name}: every copy of the lab would build {image}"
        else:
            assert re.search(r":[\w.-]+$", image), f"{name}: {image} has no tag"
            assert not image.endswith(":latest")


def test_compose_files_set_the_posture(lab: str) -> None:
    for name, service in services(lab):
        assert service.get("read_only") is True, f"{name}: read_only"
        assert service.get("cap_drop") == ["ALL"], f"{name}: cap_drop"
        assert "no-new-privileges:true" in service.get("security_opt", []), f"{name}: security_opt"
        assert service.get("user"), f"{name}: user"
        assert service.get("pids_limit"), f"{name}: pids_limit"
        assert service.get("mem_limit"), f"{name}: mem_limit"
        assert service.get("cpus"), f"{name}: cpus"
        assert service.get("logging", {}).get("options", {}).get("max-size"), (
            f"{name}: log rotation"
        )
        assert not set(NEVER) & set(service), f"{name}: {set(NEVER) & set(service)}"
        assert service.get("network_mode", "none") == "none", f"{name}: network_mode"
        assert "docker.sock" not in str(service.get("volumes", "")), f"{name}: docker.sock"
        assert not str(service["user"]).startswith(("0", "root")), f"{name}: runs as root"


def test_published_ports_are_on_loopback_by_default(lab: str) -> None:
    for name, service in services(lab):
        for port in service.get("ports", []):
            host = port.get("host_ip", "") if isinstance(port, dict) else port
            assert re.match(r"127\.0\.0\.1|\$\{(\w+_)?BIND:-127\.0\.0\.1\}:", host), (
                f"{name}: {port}"
            )


def test_no_path_or_secret_of_a_machine_is_in_the_tree() -> None:
    patterns = r"/(?:work|farm)/|/opt/(?:wheels|pypi)|BEGIN [A-Z ]*PRIVATE KEY"
    for path in [
        *(ROOT / "setup").rglob("*"),
        *(p for lab in LABS for p in (ROOT / lab).rglob("*")),
    ]:
        if path.is_file() and path.suffix not in {".png", ".onnx", ".gz", ".whl", ".joblib"}:
            text = path.read_text(errors="replace")
            assert not re.search(patterns, text), path.relative_to(ROOT)


def test_compose_files_fix_no_version_nor_project_name(lab: str) -> None:
    for path in files(lab):
        assert not re.search(r"^(version|name):", path.read_text(), re.MULTILINE), path
