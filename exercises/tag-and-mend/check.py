"""A Dockerfile of another name, an image with a version, and two faults that only show when the program runs."""

import random

from learn.bench import Bench

TITLE = "Mend a Dockerfile, and give the image a version"
MINUTES = 12
IMAGES = ("python:3.13-slim", "python:3.11-slim")
WHEELS = ("iris_tools-1.0.0",)
HINTS = (
    "docker build has an option that names the file to build from (--file), and one that names the image (--tag).",
    'Name and version are one word with a colon between them: "$IMAGE:...". The last word of the command is the folder, a dot.',
    "The first line of train.dockerfile chooses the Python. requirements.txt wants one more line, in the form that its comment shows.",
)
MUST_SAY = {
    "start": "no image of that name",
    "wrong-latest": "$IMAGE:latest",
    "wrong-file": "open Dockerfile: no such file",
    "wrong-python": "train.py needs Python 3.12 or newer",
    "wrong-package": "No module named 'iris_tools'",
}


def check(bench: Bench) -> None:
    # Other flowers: two kinds, and in the test a few of a kind that was never learned.
    unknown = random.randrange(2, 15)
    flowers = [f"{number % 2},0,{'ab'[number % 2]}" for number in range(200)]
    flowers[: 5 * unknown : 5] = ["1,1,unknown"] * unknown
    text = "\n".join(["length,width,name", *flowers, ""])
    (bench.folder / "flowers.csv").write_text(text, encoding="utf-8")
    expected = f"accuracy: {1 - unknown / 40:.3f} on 40 flowers"

    name = bench.new_name()
    done = bench.command("sh", "build.sh", env={"IMAGE": name}, timeout=300)
    bench.expect(
        done.code == 0, "build.sh ends without an error",
        did="IMAGE=... sh build.sh", seen=done.seen, expected="exit code 0",
        why="docker build looks for a file called Dockerfile, unless it is told of another", read="docs/commands.md#images",
    )  # fmt: skip
    there = bench.docker("image", "ls", "--format={{.Repository}}:{{.Tag}}", name).out.split()
    bench.expect(
        f"{name}:1.0.0" in there, "There is an image $IMAGE:1.0.0",
        did="docker image ls $IMAGE",
        seen="\n".join(there).replace(name, "$IMAGE") or "no image of that name",
        expected="$IMAGE:1.0.0",
        why="the image gets the name that docker build is given, and the tag latest where that name has no version",
        read="docs/commands.md#tags-push-and-pull",
    )  # fmt: skip
    done = bench.run(f"{name}:1.0.0")
    bench.expect(
        done.out.strip() == expected, "It trains on the flowers that lie in the folder now",
        did="change flowers.csv, sh build.sh, docker run --rm $IMAGE:1.0.0",
        seen=done.seen.splitlines()[-1], expected=expected,
        why="Python and the packages come from the image: the one from its first line, the others from requirements.txt",
        read="docs/from-tutorial.md#step-1-the-tutorials-six-lines",
    )  # fmt: skip
