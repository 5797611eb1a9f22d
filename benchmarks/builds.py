"""Build every lab's main image and its naive version, in turn: size, cold build, rebuild after a change.

    python benchmarks/builds.py [LAB...]

Needs Docker alone. `cold` is a build with no layer cached. Then one line of code is added, and then one small
package, and each time the seconds of the build are taken. A download cache that the Dockerfile keeps (cache mount) is
part of what it does; the package index is asked by both. Every build works on a copy of the folder. Writes
results/builds.json.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
RESULTS = HERE / "results" / "builds.json"

# Per lab: the build context of its main image, the Dockerfile, a file of code, the requirements.
OURS = {
    "batch-job": (".", "Dockerfile", "rules.py", "requirements.txt"),
    "ds-lab": (".", "Dockerfile", "jupyter_server_config.py", "requirements.txt"),
    "ml-prod-demo": ("serve", "Dockerfile", "app.py", "requirements.txt"),
    "gpu-train": (".", "Dockerfile", "train.py", "requirements.txt"),
    "mlflow-flask": (".", "Dockerfile.mlapp", "src/app.py", "requirements.txt"),
}

# A package of one file that nothing here needs.
ADDED = "six==1.17.0"
ADDED_HASH = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274"


def build(folder: Path, dockerfile: str, tag: str, *options: str) -> float:
    """Build and return the seconds it took."""
    start = time.perf_counter()
    command = ["docker", "build", "--quiet", "--tag", tag, "--file", str(folder / dockerfile)]
    done = subprocess.run(
        [*command, *options, str(folder)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{tag}: {done.stderr}")
    return time.perf_counter() - start


def image_bytes(tag: str) -> int:
    shown = subprocess.check_output(["docker", "image", "inspect", "--format", "{{.Size}}", tag])
    return int(shown)


def add_package(folder: Path, dockerfile: str, requirements: str) -> None:
    """Ask for one more package, the way the folder asks for them."""
    locked = folder / requirements
    if not locked.exists():
        text = (folder / dockerfile).read_text()
        (folder / dockerfile).write_text(text.replace("pip install", f"pip install {ADDED}", 1))
    elif "--hash" in locked.read_text():
        locked.write_text(f"{locked.read_text()}{ADDED} --hash={ADDED_HASH}\n")
    else:
        locked.write_text(f"{locked.read_text()}{ADDED}\n")


def measure(
    source: Path, dockerfile: str, code: str, requirements: str, tag: str
) -> dict[str, float]:
    """Seconds of the three builds and megabytes of the image; the source stays as it is."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "context"
        shutil.copytree(source, folder, ignore=shutil.ignore_patterns(".secrets", "outputs"))
        found = {"cold_s": build(folder, dockerfile, tag, "--no-cache")}
        found["size_mb"] = image_bytes(tag) / 1e6
        with open(folder / code, "a") as file:
            file.write("\n# one more line\n")
        found["after_code_s"] = build(folder, dockerfile, tag)
        add_package(folder, dockerfile, requirements)
        found["after_dependency_s"] = build(folder, dockerfile, tag)
    return {key: round(value, 2) for key, value in found.items()}


def naive_code(folder: Path) -> str:
    """The file of code that the naive version shows: the first Python file or notebook there."""
    files = sorted([*folder.rglob("*.py"), *folder.rglob("*.md"), *folder.rglob("*.txt")])
    return str(files[0].relative_to(folder))


def main() -> None:
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for lab in sys.argv[1:] or [lab for lab in OURS if (ROOT / lab).is_dir()]:
        context, dockerfile, code, requirements = OURS[lab]
        naive = HERE / "naive" / lab
        pair = {
            "naive": measure(
                naive, "Dockerfile", naive_code(naive), "requirements.txt", f"bench-naive-{lab}"
            ),
            "ours": measure(ROOT / lab / context, dockerfile, code, requirements, f"bench-{lab}"),
        }
        results[lab] = {**pair, "machine": f"{platform.machine()}, {os.cpu_count()} cores"}
        for kind, found in pair.items():
            print(
                f"{lab:<14}{kind:<7}"
                + "".join(f"{key} {value:>8}  " for key, value in found.items())
            )
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
