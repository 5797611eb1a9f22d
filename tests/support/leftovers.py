"""What a lab leaves behind once it is down: nothing but its named volumes."""

from __future__ import annotations

import yaml
from docker_cli import docker
from newcomer import Newcomer
from repository import ROOT

# Less training than the labs do by default.
SHORT = {"EPOCHS": "2"}


def compose_file(lab: str) -> dict:
    return yaml.safe_load((ROOT / lab / "compose.yaml").read_text())


def assert_nothing_is_left(who: Newcomer, lab: str, volumes: set[str]) -> None:
    assert who.left("container") == []
    assert who.left("network") == []
    named = {f"{who.project}_{name}" for name in compose_file(lab).get("volumes", {})}
    there = set(docker("volume", "ls", "--quiet").stdout.split())
    assert (volumes | set(who.left("volume"))) & there <= named
