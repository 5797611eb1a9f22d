"""Built with a large tool, which is in no layer of the image."""

import json
import random
import shutil
import tarfile
from pathlib import Path

from learn.bench import Bench

TITLE = "Leave the tools behind"
MINUTES = 15
HINTS = (
    "docs/troubleshooting.md, section The image is too large, shows what a late rm does, and two ways out.",
    "A Dockerfile may have a second FROM. It begins a new, clean image, and the last one is what you get.",
    "Give the first FROM a name with AS, and install and compile there. In the second stage COPY with --from=NAME fetches one file from it.",
)
MUST_SAY = {
    "start": "in plain sight",
    "wrong-late-delete": "not in its files",
    "wrong-prebuilt": "score 12",
    "wrong-nothing-copied": "no model.json",
}


def check(bench: Bench) -> None:
    weights = random.sample(range(100, 10_000), 3)
    lines = ["feature,weight", *(f"x{weight},{weight}" for weight in weights)]
    (bench.folder / "weights.csv").write_text("\n".join(lines))
    shutil.copy(Path(__file__).parent / "start" / "toolchain.py", bench.folder)
    image = bench.build(why="compile needs the toolchain, and ends with an error without it", read="docs/commands.md#cache-and-multi-stage")  # fmt: skip
    answer = bench.run(image)
    bench.expect(
        answer.out.strip() == f"score {sum(weights)}", "The program has the weights of weights.csv",
        did="changed weights.csv, docker build . && docker run --rm IMAGE", seen=answer.seen.splitlines()[-1],
        expected=f"score {sum(weights)}",
        why="a stage begins without the files of the one before; what it needs is copied" if answer.code
        else "what was compiled before is of the weights before; the build has to compile", read="docs/from-tutorial.md#on-the-way-copy---from",
    )  # fmt: skip
    du = ("--user=0", "--entrypoint=du")
    sizes = [bench.run(name, "-smx", "/", options=du).out for name in (image, "python:3.13-slim")]
    more = int(sizes[0].split()[0]) - int(sizes[1].split()[0])
    bench.expect(
        more <= 5, "Its files are at most 5 MB more than the base has",
        did="docker run --rm IMAGE du -smx /, and the same with python:3.13-slim", seen=f"{more} MB more, in plain sight",
        expected="at most 5 MB more", why="what a step installs stays, whether or not the program needs it",
        read="docs/troubleshooting.md#the-image-is-too-large",
    )  # fmt: skip
    more = megabytes_of_layers(bench, image)
    bench.expect(
        more <= 5, "Its layers add at most 5 MB to the base",
        did="docker save IMAGE, and added up the layers that the base does not have", seen=f"{more} MB more, which are not in its files",
        expected="at most 5 MB more", why="a layer keeps what its step wrote; a later rm only hides it", read="docs/troubleshooting.md#the-image-is-too-large",
    )  # fmt: skip


def megabytes_of_layers(bench: Bench, image: str) -> int:
    """Zipped or not is the same: what the toolchain writes cannot be compressed."""
    bench.docker("save", "--output", "image.tar", image, timeout=300)
    base = bench.inspect("python:3.13-slim")["RootFS"]["Layers"]
    with tarfile.open(bench.folder / "image.tar") as saved:
        manifest = saved.extractfile("manifest.json")
        layers = json.load(manifest)[0]["Layers"] if manifest else []
        return sum(saved.getmember(layer).size for layer in layers[len(base) :]) // 1_000_000
