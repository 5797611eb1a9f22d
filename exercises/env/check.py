"""Settings are in the environment of the container; the image holds their defaults."""

import json
import random

from learn.bench import Bench

TITLE = "One image, other settings"
MINUTES = 10
HINTS = (
    "A Python program finds its environment in os.environ. All that is in there is text.",
    "The default can be in the code (os.environ.get) or in the image: there is an instruction ENV.",
    'In the Dockerfile: ENV, then NAME=value. In count.py: os.environ["NAME"], and float(...) around what is a number.',
)
MUST_SAY = {
    "start": "the program does not ask for DATA_PATH",
    "wrong-built-in": "an ARG is there while the image is built",
    "wrong-in-command": "sets DATA_PATH once more",
    "wrong-no-default": "KeyError: 'DATA_PATH'",
    "wrong-one-of-two": "the program has to ask for each",
    "wrong-text": "always text",
}


def check(bench: Bench) -> None:
    read = "docs/commands.md#environment"
    # Other flowers than the learner has, and more of them in a folder that is mounted.
    near, far = ([round(random.uniform(1, 7), 1) for _ in range(number)] for number in (23, 31))
    (bench.folder / "elsewhere").mkdir(exist_ok=True)
    for path, lengths in (("flowers.csv", near), ("elsewhere/other.csv", far)):
        (bench.folder / path).write_text("\n".join(["petal_length", *map(str, lengths)]) + "\n")
    (bench.folder / "check.env").write_text("DATA_PATH=/elsewhere/other.csv\nTHRESHOLD=4.5\n")
    mount = f"--mount=type=bind,source={bench.folder / 'elsewhere'},target=/elsewhere,readonly"
    counted = lambda them, over: f"{sum(it > over for it in them)} of {len(them)} flowers have petals longer than {over}"  # fmt: skip
    image = bench.build(why="a line of the Dockerfile failed", read="docs/commands.md#images")
    done = bench.run(image)
    bench.expect(
        counted(near, 2.5) == done.out.strip(), "Without settings it counts /app/flowers.csv",
        did="docker run --rm IMAGE, with other flowers", seen=done.seen.splitlines()[-1], expected=counted(near, 2.5), why="whoever sets nothing gets the default, and there has to be one", read=read,
    )  # fmt: skip
    done = bench.run(image, options=(mount, "--env=DATA_PATH=/elsewhere/other.csv"))
    config = bench.inspect(image)["Config"]
    if "DATA_PATH" in json.dumps([config.get("Entrypoint"), config.get("Cmd")]):
        why = "the command in the image sets DATA_PATH once more, after docker run did"
    elif "ARG DATA_PATH" in bench.docker("history", "--no-trunc", image).out:
        why = "an ARG is there while the image is built; what is written into a file then is fixed"
    else:
        why = "the program does not ask for DATA_PATH: -e changes its environment and nothing else"
    bench.expect(
        counted(far, 2.5) == done.out.strip(), "-e DATA_PATH=... counts another file",
        did="docker run --rm -v ...:/elsewhere -e DATA_PATH=/elsewhere/other.csv IMAGE",
        seen=done.seen.splitlines()[-1], expected=counted(far, 2.5), why=why, read=read,
    )  # fmt: skip
    done = bench.run(image, options=(mount, "--env-file=check.env"))
    bench.expect(
        counted(far, 4.5) == done.out.strip(), "--env-file sets both",
        did="docker run --rm -v ...:/elsewhere --env-file FILE IMAGE, with THRESHOLD=4.5 in FILE", seen=done.seen.splitlines()[-1], expected=counted(far, 4.5),
        why="what comes from the environment is always text, also where it looks like a number"
        if done.code else "one setting does not bring the other: the program has to ask for each", read=read,
    )  # fmt: skip
