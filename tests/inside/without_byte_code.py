"""Print how many modules are installed, and which have no byte code though Python could compile them."""

import ast
import os
import sys
from importlib.util import cache_from_source
from pathlib import Path


def is_python(file: str) -> bool:
    try:
        ast.parse(Path(file).read_bytes())
    except SyntaxError:  # for a newer Python, or a template
        return False
    return True


folders = [Path(folder) for folder in sys.path if folder.endswith("site-packages")]
files = [str(file) for folder in folders for file in folder.rglob("*.py")]
bare = [file for file in files if not os.path.exists(cache_from_source(file))]
print(len(files), *filter(is_python, bare))
