"""What a program prints is in docker logs while it works."""

import random

from learn.bench import Bench

TITLE = "A line is in the log while the program runs"
MINUTES = 8
HINTS = (
    "Where are the lines? Python collects what it prints while nobody sits at a terminal, and hands it over in large pieces.",
    "It can be told not to: by a variable of the environment, by an option of python, or by an argument of print.",
    "The variable is PYTHONUNBUFFERED, and ENV sets a variable in a Dockerfile. Any value does.",
)
MUST_SAY = {
    "start": "nothing is in docker logs, and new in the container: /tmp/checkpoint",
    "wrong-file": "nothing is in docker logs, and new in the container: /app/train.log",
    "wrong-short": "and the program has ended",
}
page = "docs/from-tutorial.md#step-7-lines-that-arrive-when-they-are-printed"


def check(bench: Bench) -> None:
    image = bench.build(why="a container needs an image that is complete", read=page)
    run = f"run-{random.randrange(10**6)}"
    name = bench.start(image, options=("--env", f"RUN={run}"))

    def printed() -> str:
        logs = bench.docker("logs", name)
        return logs.out + logs.err

    def past_the_first() -> bool:
        """Whether the program is past its first epoch, whatever it says about it."""
        done = bench.docker("exec", name, "cat", "/tmp/checkpoint")
        return done.code == 0 and done.out.strip() not in ("", "1")

    first = f"{run}: epoch 1,"
    bench.wait(lambda: first in printed() or past_the_first() or not bench.running(name), 30)
    bench.wait(lambda: first in printed() or not bench.running(name), 5)
    changes = bench.docker("diff", name).out.splitlines()
    new = sorted(line[2:] for line in changes if line[0] == "A" and "__pycache__" not in line)
    bench.expect(
        first in printed(), "The first epoch's line is in docker logs",
        did=f"docker run --detach --env RUN={run} IMAGE, docker logs, docker diff",
        seen=printed()[-300:].strip() or f"nothing is in docker logs, and new in the container: {' '.join(new) or 'no file'}",
        expected=first + " ...", why="docker logs has what the program hands to the system as output: not what it still keeps, and not what goes into a file",
        read=page,
    )  # fmt: skip
    lines = printed().count("epoch")
    bench.wait(lambda: printed().count("epoch") > lines or not bench.running(name))
    working = bench.running(name)
    bench.expect(
        working and printed().count("epoch") > lines, "and the next one follows while the program works",
        did="docker logs", seen=printed()[-300:].strip() + ("" if working else "\nand the program has ended"),
        expected="a further line, and a program that still trains",
        why="a program hands over all lines at its end, too: too late for who waits, and lost if it is killed", read=page,
    )  # fmt: skip
