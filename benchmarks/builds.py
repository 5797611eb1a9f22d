"""Build every lab's main image and its naive version, in turn: size, cold build, rebuild after a change.

    python benchmarks/builds.py [LAB...]

Needs Docker alone. Before each cold build the engine's download caches (cache mounts) are emptied, and no layer is
used again but the base image. Then one line of code is added, and then one small package; each time the seconds of the build
are taken. What a Dockerfile keeps for its next build is part of what it does. Every build works on a copy of the
folder. Writes results/builds.json; labs that are not named keep their numbers there.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from containers import HERE, RESULTS, ROOT, build, docker, image_mb, versions, write

# Per lab: the build context of its main image, the Dockerfile, a file of code, the requirements.
OURS = {
    "batch-job": (".", "Dockerfile", "rules.py", "requirements.txt"),
    "ds-lab": (".", "Dockerfile", "jupyter_server_config.py", "requirements.txt"),
    "ml-prod-demo": ("serve", "Dockerfile", "app.py", "requirements-onnx.txt"),
    "gpu-train": (".", "Dockerfile", "train.py", "requirements.txt"),
    "mlflow-flask": (".", "Dockerfile.mlapp", "src/app.py", "requirements.txt"),
}

# A package of one file that nothing here needs.
ADDED = "iniconfig==2.3.1"
ADDED_HASH = "sha256:9121e2c1fdb355232495be3194c8dfe87ccc2d5dee45947b78e68f499790d7a7"


def seconds(tag: str, folder: Path, dockerfile: str, *options: str) -> float:
    # What the build before it has yet to write to the disk is not this one's cost.
    os.sync()
    start = time.perf_counter()
    build(tag, "--file", folder / dockerfile, *options, folder)
    return time.perf_counter() - start


def append(path: Path, text: str) -> None:
    path.write_text(path.read_text() + text)


def ask_for_one_more(requirements: Path) -> None:
    """Ask for one more package, with its hash where the others have theirs."""
    hashed = f" --hash={ADDED_HASH}" if "--hash" in requirements.read_text() else ""
    append(requirements, f"{ADDED}{hashed}  # {time.time_ns()}\n")


def measure(
    source: Path, dockerfile: str, code: str, requirements: str, tag: str
) -> dict[str, float]:
    """Seconds of the three builds and megabytes of the image; the source stays as it is."""
    docker("builder", "prune", "--force", "--filter", "type=exec.cachemount")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "context"
        shutil.copytree(source, folder, ignore=shutil.ignore_patterns(".secrets", "outputs"))
        found = {"cold_s": seconds(tag, folder, dockerfile, "--no-cache")}
        found["image_mb"] = image_mb(tag)
        # What was built before, by an earlier run too, is in the cache: every change is one of a kind.
        append(folder / code, f"\n# {time.time_ns()}\n")
        found["after_code_s"] = seconds(tag, folder, dockerfile)
        ask_for_one_more(folder / requirements)
        found["after_dependency_s"] = seconds(tag, folder, dockerfile)
    return {key: round(value, 2) for key, value in found.items()}


def main() -> None:
    known = RESULTS / "builds.json"
    results = json.loads(known.read_text()) if known.exists() else {}
    for lab in sys.argv[1:] or OURS:
        context, dockerfile, code, requirements = OURS[lab]
        naive = HERE / "naive" / lab
        naive_code = min(path.name for path in naive.glob("*.py"))
        results[lab] = {
            "naive": measure(
                naive, "Dockerfile", naive_code, "requirements.txt", f"bench-naive-{lab}"
            ),
            "ours": measure(ROOT / lab / context, dockerfile, code, requirements, f"bench-{lab}"),
        }
        newest = versions(f"bench-naive-{lab}", naive / "requirements.txt")
        results.setdefault("versions", {})[lab] = newest
        for version, found in results[lab].items():
            numbers = "".join(f"{key} {value:>8}  " for key, value in found.items())
            print(f"{lab:<14}{version:<7}{numbers}", flush=True)
        write("builds", results)


if __name__ == "__main__":
    main()
