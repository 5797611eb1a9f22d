"""Import the modules named as arguments; print how many installed ones that took, and those without byte code."""

import importlib
import os
import sys
from importlib.util import cache_from_source

for name in sys.argv[1:]:
    importlib.import_module(name)
files = [getattr(module, "__file__", None) or "" for module in sys.modules.values()]
installed = [file for file in files if file.endswith(".py") and "/site-packages/" in file]
bare = [file for file in installed if not os.path.exists(cache_from_source(file))]
print(len(installed), *bare)
