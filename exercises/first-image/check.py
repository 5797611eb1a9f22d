"""An image that holds a program and its data, and starts the program."""

import random

from learn.bench import Bench

TITLE = "Your first image"
MINUTES = 10
HINTS = (
    "Four lines do: which image to begin with, which folder to work in, what to copy, what to start.",
    "The four words are FROM, WORKDIR, COPY and CMD. The image to begin with is python:3.13-slim.",
    "RUN is done while the image is built. What a container starts is named by CMD, in brackets, each word in quotes.",
)
MUST_SAY = {
    "start": "a Dockerfile says what to begin with",
    "wrong-echo": "accuracy: 0.933 on 15 flowers",
    "wrong-at-build": "nothing printed, exit code 0",
    "wrong-no-data": "there is no flowers.csv",
}


def check(bench: Bench) -> None:
    # Other flowers: two kinds, and in the test a few of a kind that was never learned.
    unknown = random.randrange(2, 15)
    flowers = [f"{number % 2},0,{'ab'[number % 2]}" for number in range(200)]
    flowers[: 5 * unknown : 5] = ["1,1,unknown"] * unknown
    text = "\n".join(["length,width,name", *flowers, ""])
    (bench.folder / "flowers.csv").write_text(text, encoding="utf-8")
    expected = f"accuracy: {1 - unknown / 40:.3f} on 40 flowers"

    image = bench.build(
        why="a Dockerfile says what to begin with, what to add, and what a container starts",
        read="docs/concepts.md#dockerfile-and-layer",
    )
    done = bench.run(image)
    bench.expect(
        done.code == 0 and done.out.strip(), "A container of it starts a program, and that ends well",
        did="docker run --rm IMAGE", seen=done.seen, expected="a line with the accuracy, exit code 0",
        why="a container has the files of its image and no others, and starts what the image names: python3 alone, if the image says nothing",
        read="docs/concepts.md#image",
    )  # fmt: skip
    bench.expect(
        done.out.strip() == expected, "It prints the accuracy for the flowers of today",
        did="put other flowers into flowers.csv, docker build ., docker run --rm IMAGE",
        seen=done.seen, expected=expected,
        why="the container has to run train.py on the file that was copied: only then do other data give another result",
        read="docs/from-tutorial.md#step-1-the-tutorials-six-lines",
    )  # fmt: skip
