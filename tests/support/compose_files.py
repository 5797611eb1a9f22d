"""The services that a lab's compose files declare."""

from __future__ import annotations

import yaml
from repository import ROOT


def services(lab: str) -> list[tuple[str, dict]]:
    """Every service of the lab; what an override file changes of a service is not one of its own."""
    found: dict[str, tuple[str, dict]] = {}
    for path in sorted(
        (ROOT / lab).glob("compose*.yaml"), key=lambda path: path.name != "compose.yaml"
    ):
        text = yaml.load(path.read_text(), ComposeLoader)
        for name, service in (text.get("services") or {}).items():
            found.setdefault(name, (f"{path.name}:{name}", service))
    return list(found.values())


class ComposeLoader(yaml.SafeLoader):
    """Compose has tags of its own (!reset, !override); their values are read as they stand."""


def untagged(loader: yaml.SafeLoader, _suffix: str, node: yaml.Node) -> object:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node)


ComposeLoader.add_multi_constructor("!", untagged)
