"""Follow the registry as a service that knows a third version; print where each model is from, and the problem."""

import json
import os

from registry import ALIASES, Registry
from settings import read_settings

ALIASES["v3"] = "current-v3"
registry = Registry(read_settings(os.environ))
registry.start()
registry.asked_once.wait(60)
sources = {name: model.source for name, model in registry.models.items()}
print(json.dumps([sources, registry.problem]))
