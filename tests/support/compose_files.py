"""The services that a lab's compose files declare."""

from __future__ import annotations

from pathlib import Path

import yaml
from repository import ROOT

# Folders of a lab with compose files that are given after its compose.yaml, one at a time.
BESIDE = ("production", "cluster")


def files(lab: str) -> list[Path]:
    """A lab's compose files, compose.yaml first: what follows is given after it, and adds to it."""
    folder = ROOT / lab
    others = set(folder.glob("compose*.yaml")) - {folder / "compose.yaml"}
    # What is for a swarm alone is no compose file.
    beside = [path for name in BESIDE for path in sorted(folder.glob(f"{name}/*.yaml"))]
    return [
        folder / "compose.yaml",
        *sorted(others),
        *[path for path in beside if path.name != "stack.yaml"],
    ]


def services(lab: str) -> list[tuple[str, dict]]:
    """Every service of the lab; what an override file changes of a service is not one of its own."""
    found: list[tuple[str, dict]] = []
    own: set[str] = set()
    for path in files(lab):
        declared = yaml.load(path.read_text(), ComposeLoader).get("services") or {}
        found += [
            (f"{path.relative_to(ROOT / lab)}:{name}", service)
            for name, service in declared.items()
            if name not in own
        ]
        # Those are given one at a time: none is an override of another.
        if path.parent == ROOT / lab:
            own |= set(declared)
    return found


class ComposeLoader(yaml.SafeLoader):
    """Compose has tags of its own (!reset, !override); their values are read as they stand."""


def untagged(loader: yaml.SafeLoader, _suffix: str, node: yaml.Node) -> object:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node)


ComposeLoader.add_multi_constructor("!", untagged)
