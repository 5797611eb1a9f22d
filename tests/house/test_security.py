"""The posture of every lab, read off its running containers, and docs/security.md, which is made of it.

`UPDATE_SECURITY_PAGE=1 .venv/bin/pytest tests/test_security.py` writes the page anew.
"""

from __future__ import annotations

import functools
import os
import random
import re
import subprocess
import warnings
from collections.abc import Callable
from pathlib import Path

import advisories
import compose_files
import leaks
import pytest
import security_page
import sightings
from advisories import Audit, Pin
from posture import ROWS, violations
from repository import LABS, ROOT, copy_of_git

PAGE = ROOT / "docs" / "security.md"

Seen = Callable[[str], sightings.Lab]


def in_git(*patterns: str) -> list[Path]:
    """Return the files that git holds, or would hold, by these patterns."""
    listed = (
        "git",
        "ls-files",
        "--cached",
        "--others",
        "--exclude-standard",
        "-z",
        "--",
        *patterns,
    )
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in names.split("\0") if name and (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def seen(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """`seen("ds-lab")` brings up all of a lab, once, under a random uid where that can be chosen."""
    uid = random.randint(1000, 65536) if os.getuid() == 0 else os.getuid()

    @functools.cache
    def see(lab: str) -> sightings.Lab:
        return sightings.see(copy_of_git(lab, tmp_path_factory.mktemp("security")), uid)

    return see


@pytest.fixture(scope="module")
def locked() -> dict[str, set[Pin]]:
    """The packages that each locked requirements file names."""
    files = in_git("*requirements*.txt")
    return {str(path.relative_to(ROOT)): advisories.pins_of(path) for path in files}


@pytest.fixture(scope="module")
def audit(locked: dict[str, set[Pin]], tmp_path_factory: pytest.TempPathFactory) -> Audit:
    return advisories.audit(set().union(*locked.values()), tmp_path_factory.mktemp("audit"))


# --- running containers


def test_every_container_keeps_every_row(lab: str, seen: Seen) -> None:
    found = seen(lab)
    assert found.sightings
    broken = sorted({row for sighting in found.sightings for row in violations(sighting)})
    assert not broken, "\n".join([*broken, "", found.logs])


def test_every_row_was_looked_for(lab: str, seen: Seen) -> None:
    blank = [
        f"{sighting.name}: {row.number} {row.title}"
        for sighting in seen(lab).sightings
        for row in ROWS
        if not row.exempt(sighting) and row.holds(sighting) is None
    ]
    assert blank == []


def test_containers_show_no_secret(lab: str, seen: Seen) -> None:
    assert {s.name: s.leaks for s in seen(lab).sightings if s.leaks} == {}


# --- files


def test_base_images_carry_a_tag_that_is_not_latest() -> None:
    for path in in_git("*Dockerfile*", ":!*.dockerignore"):
        stages = {"scratch"}
        for image, name in re.findall(r"^FROM (\S+)(?: AS (\S+))?", path.read_text(), re.MULTILINE):
            tagged = re.search(r":(?!latest$)[\w.${}-]+$", image)
            assert image in stages or tagged, f"{path.relative_to(ROOT)}: FROM {image}"
            stages.add(name)


def generated_secrets() -> list[str]:
    """Return the secrets that the labs have made in this checkout, if any ran."""
    folders = [*ROOT.glob("*/.secrets"), *ROOT.glob("*/*/.secrets")]
    files = [path for folder in folders for path in folder.iterdir() if path.is_file()]
    return [text for path in files if (text := path.read_text().strip())]


def test_no_secret_is_in_the_tree() -> None:
    made = generated_secrets()
    for path in in_git():
        text = path.read_text(errors="replace")
        found = ["a generated secret" for secret in made if secret in text]
        found += leaks.SHAPED.findall(text)
        assert not found, f"{path.relative_to(ROOT)}: {found}"


# --- advisories


def tell_advisories(locked: dict[str, set[Pin]], audit: Audit) -> None:
    """Warn of each: an advisory is news, and no broken test. `make lock` is the answer to most."""
    for file, pins in locked.items():
        for known in audit.known(pins):
            warnings.warn(f"advisory: {file}: {known}", stacklevel=2)


def test_advisories_against_locked_packages_are_told(
    locked: dict[str, set[Pin]], audit: Audit
) -> None:
    tell_advisories(locked, audit)
    if unchecked := audit.unchecked(set().union(*locked.values())):
        pytest.skip(f"not checked: {unchecked}")


def test_an_advisory_is_a_warning() -> None:
    audit = Audit({("a", "1"): ["CVE-1"], ("b", "2"): []}, {})
    with pytest.warns(UserWarning, match="lab/requirements.txt: a 1: CVE-1") as told:
        tell_advisories({"lab/requirements.txt": {("a", "1"), ("b", "2")}}, audit)
    assert len(told) == 1


def pretend(monkeypatch: pytest.MonkeyPatch, folder: Path, report: str) -> None:
    """Put a pip-audit in place that prints this report, or none and an error."""
    stub = folder / "pip-audit"
    stub.write_text(f"#!/bin/sh\nprintf '%s' '{report}'\necho no network >&2\nexit 1\n")
    stub.chmod(0o755)
    monkeypatch.setattr(advisories, "PIP_AUDIT", stub)


@pytest.mark.parametrize(
    ("report", "known", "unchecked"),
    [
        ('{"dependencies": [{"name": "A_b", "version": "1", "vulns": []}]}', [], ""),
        (
            '{"dependencies": [{"name": "a-b", "version": "1", "vulns": [{"id": "CVE-1"}]}]}',
            ["a-b 1: CVE-1"],
            "",
        ),
        (
            '{"dependencies": [{"name": "a-b", "skip_reason": "not found"}]}',
            [],
            "1 of 1 packages: not found",
        ),
        ('{"dependencies": []}', [], "1 of 1 packages: not in the report"),
        ("", [], "no network"),
    ],
)
def test_an_audit_of_nothing_is_not_called_clean(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, report: str, known: list[str], unchecked: str
) -> None:
    pretend(monkeypatch, tmp_path, report)
    pins = {("a-b", "1")}
    audit = advisories.audit(pins, tmp_path)
    assert audit.known(pins) == known
    assert audit.unchecked(pins) == unchecked


# --- the page


def without_verdict(page: str) -> str:
    """Leave out what depends on the network of who looks."""
    number, title = security_page.ADVISORIES
    return re.sub(rf"^(\| {number} \| {title} \|).*$", r"\1", page, flags=re.MULTILINE)


def test_the_page_says_what_was_seen(seen: Seen, locked: dict[str, set[Pin]], audit: Audit) -> None:
    audited = {
        lab: not any(
            audit.unchecked(pins) for file, pins in locked.items() if file.startswith(f"{lab}/")
        )
        for lab in LABS
    }
    unused = {
        str(path.relative_to(ROOT))
        for lab in LABS
        for path in compose_files.files(lab)
        if str(path.relative_to(ROOT / lab)) not in seen(lab).files
    }
    page = security_page.render({lab: seen(lab).sightings for lab in LABS}, audited, unused)
    if os.environ.get("UPDATE_SECURITY_PAGE"):
        PAGE.write_text(page)
    committed = PAGE.read_text() if PAGE.exists() else ""
    assert without_verdict(committed) == without_verdict(page), (
        "docs/security.md is not what was seen. If what was seen is right:\n"
        "UPDATE_SECURITY_PAGE=1 .venv/bin/pytest tests/test_security.py"
    )
