"""docker stop asks process number 1: the program has to be that, or to be told by it."""

import random

from learn.bench import Bench

TITLE = "Stop when asked"
MINUTES = 10
HINTS = (
    "Which process is number 1? docker inspect --format '{{.Path}} {{.Args}}' my-worker",
    "CMD has two forms. In one of them Docker starts your program itself, in the other a shell that starts it.",
    "The form with brackets takes a list, each word in quotes. Nothing but the worker is in it.",
)
MUST_SAY = {
    "start": "was not handed on",
    "wrong-code-lost": "the last command's",
    "wrong-killed-at-once": "cannot be heard",
    "wrong-shell-leaves": "without having waited",
}


def check(bench: Bench) -> None:
    read = "docs/from-tutorial.md#step-8-stop-when-asked"
    rows = random.randrange(4000, 9000)
    image = bench.build(why="a line of the Dockerfile failed", read="docs/commands.md#images")
    name = bench.start(image, options=("--env", f"ROWS={rows}"))
    works = lambda: "row 1\n" in bench.docker("logs", name).out
    bench.wait(lambda: works() or not bench.running(name))
    bench.expect(
        works() and bench.running(name), "The worker works",
        did="docker run --detach --env ROWS=... IMAGE",
        seen=bench.inspect(name)["State"]["Error"] or bench.logs(name).splitlines()[-1], expected="row 1, row 2, ...",
        why="a container lives as long as its process number 1", read="docs/concepts.md#container",
    )  # fmt: skip
    bench.docker("stop", name)
    about = bench.inspect(name)
    code, first = about["State"]["ExitCode"], " ".join([about["Path"], *about["Args"]])
    asked = about["Config"].get("StopSignal") or "SIGTERM"
    bench.expect(
        code != 137, "docker stop ends it without having to kill it",
        did="docker stop, then docker inspect", seen=f"exit code 137 (killed); stop signal {asked}; process number 1: {first}",
        expected="it ends by itself when asked with SIGTERM",
        why="SIGKILL cannot be heard by any program: nothing is saved" if "KILL" in asked or asked == "9" else
        "only process number 1 is asked; SIGTERM was not handed on to the worker, and after 10 seconds all were killed", read=read,
    )  # fmt: skip
    bench.expect(
        f"of {rows} rows" in bench.logs(name), "The worker's last line is there",
        did="docker logs", seen=bench.logs(name).splitlines()[-1], expected=f"saved: ... of {rows} rows",
        why="process number 1 ended without having waited for the worker: with it all others are killed", read=read,
    )  # fmt: skip
    bench.expect(
        code == 75, "The exit code is the worker's own",
        did="docker inspect --format '{{.State.ExitCode}}'", seen=f"exit code {code}", expected="exit code 75",
        why="a container's exit code is that of process number 1: of a shell, the last command's", read=read,
    )  # fmt: skip
