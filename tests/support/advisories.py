"""Known advisories against every locked package, as pip-audit reports them; or why it could not ask."""

from __future__ import annotations

import json
import os
import re
import ssl
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

PIP_AUDIT = Path(sys.executable).with_name("pip-audit")
PIN = re.compile(r"^([A-Za-z0-9][\w.-]*)(?:\[[^]]*\])?==([^\s;\\]+)", re.MULTILINE)

Pin = tuple[str, str]


@dataclass(frozen=True)
class Audit:
    """Advisories by package, the packages no source knew (with what it said), or why nothing was asked."""

    advisories: dict[Pin, list[str]]
    skipped: dict[Pin, str]
    error: str = ""

    def unchecked(self, pins: set[Pin]) -> str:
        """Return why some of these packages were not checked; empty when all were."""
        if self.error:
            return self.error
        skipped = [pin for pin in sorted(pins) if pin not in self.advisories]
        reasons = self.skipped.get(skipped[0], "not in the report") if skipped else ""
        return f"{len(skipped)} of {len(pins)} packages: {reasons}" if skipped else ""

    def known(self, pins: set[Pin]) -> list[str]:
        """Return "package version: ids" for every package with an advisory."""
        return [
            f"{name} {version}: {', '.join(self.advisories[name, version])}"
            for name, version in sorted(pins)
            if self.advisories.get((name, version))
        ]


def pins_of(locked: Path) -> set[Pin]:
    """Return the (name, version) pairs of a locked requirements file, those of every platform."""
    return set(PIN.findall(locked.read_text()))


def layers(pins: set[Pin]) -> list[list[Pin]]:
    """Split the pins so that no list names a package twice, which pip-audit refuses.

    A lock for all platforms does: one version for each.
    """
    split: dict[int, list[Pin]] = defaultdict(list)
    counts: dict[str, int] = defaultdict(int)
    for name, version in sorted(pins):
        split[counts[name]].append((name, version))
        counts[name] += 1
    return list(split.values())


def audit(pins: set[Pin], scratch: Path) -> Audit:
    """Ask about every package once; `scratch` is a folder for the lists to ask about."""
    advisories: dict[Pin, list[str]] = {}
    skipped: dict[Pin, str] = {}
    for number, layer in enumerate(layers(pins)):
        listed = scratch / f"requirements-{number}.txt"
        listed.write_text("".join(f"{name}=={version}\n" for name, version in layer))
        done = subprocess.run(
            [PIP_AUDIT, "--disable-pip", "--no-deps", "--progress-spinner=off", "--format=json",
             "-r", listed], env=with_certificates(), capture_output=True, text=True, check=False, timeout=600,
        )  # fmt: skip
        # It ends with 1 both for an advisory and for a source that is out of reach; only the first has a report.
        if not done.stdout:
            return Audit({}, {}, (done.stderr.strip().splitlines() or ["no report"])[-1])
        # Without a source it calls every package skipped, and the whole clean.
        for (name, version), package in zip(layer, read(done.stdout, layer), strict=True):
            if "skip_reason" in package:
                skipped[name, version] = package["skip_reason"]
            else:
                advisories[name, version] = [known["id"] for known in package["vulns"]]
    return Audit(advisories, skipped)


def with_certificates() -> dict[str, str]:
    """The environment in which pip-audit trusts whom this machine trusts, a company's proxy for instance."""
    paths = ssl.get_default_verify_paths()
    trusted = os.environ.get("SSL_CERT_FILE") or paths.cafile or paths.capath
    return {**({"REQUESTS_CA_BUNDLE": trusted} if trusted else {}), **os.environ}


def read(report: str, layer: list[Pin]) -> list[dict]:
    """Return the report's entries in the order of `layer`."""
    by_name = {canonical(entry["name"]): entry for entry in json.loads(report)["dependencies"]}
    missing = {"skip_reason": "not in the report"}
    return [by_name.get(canonical(name), missing) for name, _ in layer]


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
