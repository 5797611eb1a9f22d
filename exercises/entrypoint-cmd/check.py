"""ENTRYPOINT is the program, CMD its arguments: those that docker run is given take the place of the default."""

import random
import statistics

from learn.bench import Bench

TITLE = "An image that is used like a command"
MINUTES = 8
HINTS = (
    "There are two instructions that say what is started. One is replaced by what comes after the image's name, one is not.",
    "docs/from-tutorial.md, 'CMD or ENTRYPOINT': the program belongs in one of them, its default argument in the other.",
    'ENTRYPOINT holds python and mean.py, CMD only the column. Both with brackets, and each word in quotes of its own.',
)  # fmt: skip
MUST_SAY = {
    "start": "took the place of the program",
    "wrong-fixed-column": "and no other line",
    "wrong-printed": "whatever flowers.csv says",
    "wrong-shell-form": "in the shell form",
    "wrong-split": "in one piece",
}


def check(bench: Bench) -> None:
    # Other flowers than the learner has: a sentence that is only printed does not know them.
    names = ("sepal_length", "sepal_width", "petal_length", "petal_width")
    rows = [[round(random.uniform(1, 9), 1) for _ in names] for _ in range(5)]
    lines = [",".join(names), *(",".join(map(str, row)) for row in rows)]
    (bench.folder / "flowers.csv").write_text("\n".join(lines) + "\n")
    mean = {n: f"{n} {statistics.mean(column):.2f}" for n, column in zip(names, zip(*rows))}
    read = "docs/from-tutorial.md#on-the-way-cmd-or-entrypoint-and-why-the-brackets"

    image = bench.build(why="a line of the Dockerfile failed", read="docs/commands.md#images")
    done = bench.run(image)
    bench.expect(
        done.out.splitlines() == [mean["sepal_length"]], "Without arguments it prints the mean of sepal_length",
        did="docker run --rm IMAGE, with other flowers in flowers.csv", seen=done.seen.splitlines()[-1], expected=mean["sepal_length"],
        why="mean.py has to compute it when the container runs, whatever flowers.csv says", read=read,
    )  # fmt: skip
    done = bench.run(image, "petal_width")
    replaced = "petal_width took the place of the program: what comes after the image's name replaces CMD, all of it"
    dropped = "petal_width did not arrive: in the shell form (no brackets) a shell gets the arguments, and drops them"
    bench.expect(
        mean["petal_width"] in done.out, "A column after the image's name reaches mean.py",
        did="docker run --rm IMAGE petal_width", seen=done.seen, expected=mean["petal_width"],
        why=replaced if done.code == 127 else dropped, read=read,
    )  # fmt: skip
    bench.expect(
        "sepal_length" not in done.out, "It takes the place of sepal_length",
        did="docker run --rm IMAGE petal_width", seen=done.seen, expected=f"{mean['petal_width']}, and no other line",
        why="what comes after the image's name is added to ENTRYPOINT; only CMD is replaced", read=read,
    )  # fmt: skip
    done = bench.run(image, "--title", "All the flowers", "petal_length", "sepal_width")
    expected = ["All the flowers", mean["petal_length"], mean["sepal_width"]]
    bench.expect(
        done.out.splitlines() == expected, "So do several columns, and a title of three words",
        did='docker run --rm IMAGE --title "All the flowers" petal_length sepal_width',
        seen=done.seen.splitlines()[-1], expected="\n".join(expected),
        why="each argument has to be handed on in one piece; a shell splits what is not in quotes", read=read,
    )  # fmt: skip
