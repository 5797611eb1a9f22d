"""A model that is trained in one container and served by another, which is not started again for it."""

from __future__ import annotations

import random
from functools import partial

from learn.bench import Bench

TITLE = "A new model, and nobody noticed"
MINUTES = 20
HINTS = (
    "Two volumes with two names are two folders. What name would both services have to mount at /models?",
    "Then look at app.py: when does it read the file, and how often? A model that is read when the program starts is the one it keeps.",
    "The simplest API reads the file for each request. A large model is read only when the file's time (Path.stat().st_mtime_ns) has changed: a thread can look every second.",
)
MUST_SAY = {
    "start": "No such file or directory: '/models/model.json'",
    "wrong-loads-once": "the old model",
    "wrong-restarts": "was started again",
}


def check(bench: Bench) -> None:
    port = bench.free_port()
    compose = partial(bench.compose, env={"PORT": str(port)})
    old, new = random.sample(range(1000, 9000), 2)

    def train(price: int) -> str:
        """Train on flats of that price per square metre."""
        rows = "".join(f"{area},{area * price}\n" for area in (30, 70, 110))
        (bench.folder / "data" / "flats.csv").write_text("square_metres,price\n" + rows)
        return compose("run", "--rm", "-T", "train").seen

    def knows(price: int) -> bool:
        return bench.get(port, "/price/10").strip() == str(10 * price)

    built = compose("--profile", "*", "build")
    trained = train(old)
    compose("up", "--detach")
    name = bench.service("api")
    bench.wait(lambda: knows(old) or not bench.running(name))
    log = bench.logs(name).splitlines()
    bench.expect(
        knows(old), "api serves what train wrote",
        did="docker compose run train, then up --detach, curl", seen=bench.get(port, "/price/10") or (log if trained else built.seen.splitlines())[-1],
        expected=f"the price of 10 square metres: {10 * old}",
        why="each volume is a folder of its own: two services share what both mount", read="docs/concepts.md#volume",
    )  # fmt: skip
    before = bench.inspect(name)
    train(new)
    bench.wait(lambda: knows(new), 10)
    bench.expect(
        knows(new), "A new training is served",
        did="docker compose run train with other prices, curl", seen=f"the old model: {bench.get(port, '/price/10')}",
        expected=f"the price of 10 square metres: {10 * new}",
        why="a program keeps in memory what it has read; that the file is another one now it must find out", read="ml-prod-demo/README.md#train-again",
    )  # fmt: skip
    after = bench.inspect(name)
    bench.expect(
        (before["Id"], before["State"]["StartedAt"]) == (after["Id"], after["State"]["StartedAt"]), "api went on meanwhile",
        did="docker inspect", seen=f"api was started again, {after['RestartCount']} times by Docker",
        expected="the same container, running since the same moment",
        why="who asks while it starts gets no answer", read="ml-prod-demo/README.md#train-again",
    )  # fmt: skip
    compose("down")
    compose("up", "--detach")
    bench.expect(
        bench.wait(lambda: knows(new)), "The model outlives the containers",
        did="docker compose down, up --detach, curl", seen=bench.get(port, "/price/10") or "no answer",
        expected=f"the price of 10 square metres: {10 * new}",
        why="down removes the containers, and a volume with a name stays", read="docs/concepts.md#volume",
    )  # fmt: skip
