"""Import the modules named as arguments; print how many installed ones that took, and those without byte code."""

import importlib
import os
import sys

for name in sys.argv[1:]:
    importlib.import_module(name)
specs = [module.__spec__ for module in sys.modules.values() if getattr(module, "__spec__", None)]
installed = [
    spec
    for spec in specs
    if spec.has_location and spec.origin.endswith(".py") and "/site-packages/" in spec.origin
]
bare = [spec.origin for spec in installed if not os.path.exists(spec.cached)]
print(len(installed), *bare)
