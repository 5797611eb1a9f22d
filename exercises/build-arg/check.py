"""The version comes with the build: in the label and in the program."""

import random

from learn.bench import Bench

TITLE = "One recipe, many versions"
MINUTES = 8
HINTS = (
    "docs/commands.md, section Secrets and build arguments, has a Dockerfile that is told its version by the command.",
    "An ARG is there while the image is built, and a LABEL may use it. A program that runs later needs it in something that stays: a variable or a file.",
    "ARG comes after FROM and may have a default, behind an =. LABEL and ENV come after ARG and take its value by $ and its name.",
)
MUST_SAY = {
    "start": "the same in every build",
    "wrong-before-from": "ARG before FROM",
    "wrong-label-only": "gone when the image is built",
    "wrong-no-default": "nobody gave",
}


def check(bench: Bench) -> None:
    docs = "docs/commands.md#secrets-and-build-arguments"
    version = f"{random.randrange(2, 99)}.{random.randrange(99)}.0"
    option = f"--build-arg=VERSION={version}"
    image = bench.build(option, why="docker build runs the Dockerfile line by line, and stops at the first that fails", read=docs)  # fmt: skip
    label = label_of(bench, image)
    bench.expect(
        label == version, "The label has the version of --build-arg",
        did=f"docker build {option} . && docker inspect IMAGE", seen=f"org.opencontainers.image.version: {label or '(empty)'}", expected=version,
        why="what is written in the Dockerfile is the same in every build; an ARG is set from outside" if label
        else "an ARG is known from its line on, and is empty before; an ARG before FROM is known to FROM alone",
        read=docs if label else "docs/from-tutorial.md#on-the-way-arg-before-from",
    )  # fmt: skip
    done = bench.run(image)
    bench.expect(
        done.out.strip() == f"price-model {version}", "The program prints the same version",
        did=f"docker build {option} . && docker run --rm IMAGE", seen=done.seen.splitlines()[-1], expected=f"price-model {version}",
        why="an ARG is gone when the image is built; what shall be there later has to be kept in the image", read=docs,
    )  # fmt: skip
    image = bench.build(step="It builds without --build-arg", why="a build argument is an offer, and need not be taken", read=docs)  # fmt: skip
    done, label = bench.run(image), label_of(bench, image)
    bench.expect(
        (label, done.out.strip()) == ("dev", "price-model dev"), "Both say dev without it",
        did="docker build . && docker run --rm IMAGE", seen=f"label: {label or '(empty)'}\n{done.seen.splitlines()[-1]}",
        expected="label: dev\nprice-model dev",
        why="an ARG that nobody gave a value is empty, unless its own line has one", read=docs,
    )  # fmt: skip


def label_of(bench: Bench, image: str) -> str:
    labels = bench.inspect(image)["Config"].get("Labels") or {}
    return str(labels.get("org.opencontainers.image.version", "(no such label)"))
