"""A container whose program is the server: it stays up, it answers, and it ends with it."""

import random

from learn.bench import Bench

TITLE = "The container exits at once"
MINUTES = 10
HINTS = (
    "docker history my-server shows what each step did. When was the server started, and what became of it?",
    "What is started by RUN ends with the step of the build. Another word names what a container starts.",
    "CMD takes a list in brackets: the program and its argument, each in double quotes. No & and no second program.",
)
MUST_SAY = {
    "start": "exit code 0, and printed last: nothing",
    "wrong-name": "can't open file '/app/serve.py'",
    "wrong-tail": "it is still running",
}
page = "docs/troubleshooting.md#the-container-exits-at-once"


def check(bench: Bench) -> None:
    model = f"iris-{random.randrange(10**6)}"
    (bench.folder / "model.txt").write_text(model + "\n", encoding="utf-8")
    image, port, did = (
        bench.new_name(),
        bench.free_port(),
        "docker run --detach --publish ...:8000 IMAGE",
    )
    done = bench.try_build(image, timeout=90)
    bench.expect(
        done.code == 0, "The image builds", did="docker build .", seen=done.seen, expected="an image, exit code 0",
        why="each step of a build has to end: a server in a RUN never does", read="docs/concepts.md#dockerfile-and-layer",
    )  # fmt: skip
    name = bench.start(image, options=("--publish", f"127.0.0.1:{port}:8000"))
    bench.wait(lambda: bench.get(port) or not bench.running(name), 30)
    state, logs = bench.inspect(name)["State"], bench.docker("logs", name)
    printed = (logs.out + logs.err).splitlines() or [state["Error"] or "nothing"]
    bench.expect(
        state["Running"], "A container of it stays up",
        did=did, seen=f"it has ended, exit code {state['ExitCode']}, and printed last: {printed[-1]}",
        expected="a container that is running",
        why="a container lives as long as its first program, and what a RUN has started is not in it", read=page,
    )  # fmt: skip
    bench.expect(
        bench.get(port).strip() == f"model: {model}", "It answers, with the model that lies in the folder now",
        did=did + ", curl", seen=bench.get(port).strip() or "no answer", expected=f"model: {model}",
        why="a container that only waits is up, too: its program has to be the server", read=page,
    )  # fmt: skip
    bench.get(port, "/stop", "now")
    bench.wait(lambda: not bench.running(name), 10)
    state = bench.inspect(name)["State"]
    bench.expect(
        state["ExitCode"] == 3, "When the server ends, so does the container, with the same exit code",
        did="curl --request POST .../stop, docker inspect",
        seen="it is still running" if state["Running"] else f"it has ended, exit code {state['ExitCode']}",
        expected="the container has ended, exit code 3",
        why="Docker sees the first program alone: while that waits, nobody learns that the server is gone",
        read="docs/tutorials.md#add-tail--f-devnull-so-that-the-container-stays-up",
    )  # fmt: skip
