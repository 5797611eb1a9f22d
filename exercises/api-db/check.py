"""Two services that find each other by name, one of them with data that stays."""

import random
from functools import partial

from learn.bench import Bench

TITLE = "An API and its database"
MINUTES = 12
IMAGES = ("python:3.13-slim", "redis:8")
HINTS = (
    "docs/concepts.md, section Compose, has a file with two services. What does each of yours need: an image or a build, a port, a variable?",
    "Containers of one compose file find each other by the name of the service. That name is what DATABASE_HOST has to be.",
    "What stays after `down` is a volume with a name: NAME:/data below the service, and the same NAME again below volumes: at the left margin.",
)
MUST_SAY = {
    "start": "no services",
    "wrong-localhost": "no database at localhost",
    "wrong-published": "db has a port",
    "wrong-anonymous": "it began anew",
    "wrong-everywhere": "everybody in your network",
}


def check(bench: Bench) -> None:
    port = bench.free_port()
    compose = partial(bench.compose, env={"PORT": str(port)})

    def visits() -> int:
        return int(answer.split()[1]) if (answer := bench.get(port)).startswith("visit ") else 0

    up = compose("up", "--build", "--detach")
    services = compose("config", "--services").out.split()
    bench.expect(
        up.code == 0 and {"api", "db"} <= {*services}, "docker compose up starts api and db",
        did="docker compose up --build --detach", seen="no services in compose.yaml" if "empty compose file" in up.seen else up.seen,
        expected="containers of two services, api and db",
        why="Compose starts what stands under services in the file", read="docs/concepts.md#compose",
    )  # fmt: skip
    number = random.randrange(1000, 9000)
    bench.wait(lambda: "PONG" in compose("exec", "-T", "db", "redis-cli", "ping").out)
    compose("exec", "-T", "db", "redis-cli", "set", "visits", str(number))
    bench.wait(lambda: bench.get(port))
    bench.expect(
        visits() > number, "The API reaches the database by its name",
        did=f"redis-cli set visits {number} in db, then curl http://127.0.0.1:$PORT",
        seen=bench.get(port) or f"no answer\n{bench.logs(bench.service('api'))}", expected=f"visit {number + 1}, or a little more",
        why="localhost in a container is that container; another one has its service's name", read="docs/concepts.md#network",
    )  # fmt: skip
    api, db = (bench.inspect(bench.service(name))["HostConfig"]["PortBindings"] or {} for name in ("api", "db"))  # fmt: skip
    hosts = {binding["HostIp"] for bindings in api.values() for binding in bindings}
    bench.expect(
        not db and hosts == {"127.0.0.1"}, "Your machine alone reaches api, and nobody db", did="docker compose ps",
        seen="db has a port on your machine" if db else "api is published to everybody",
        expected="127.0.0.1:$PORT for api, nothing for db",
        why="services of one file reach each other without a port of your machine" if db
        else "a port without an address in front is open to everybody in your network", read="docs/concepts.md#port",
    )  # fmt: skip
    compose("down")
    compose("up", "--detach")
    bench.wait(visits)
    now = visits()
    bench.expect(
        now > number, "The number outlives the containers",
        did="docker compose down, up --detach, curl", seen=f"visit {now}: it began anew", expected=f"more than {number}",
        why="down removes the containers; a volume with a name stays, and the next container gets it again", read="docs/concepts.md#volume",
    )  # fmt: skip
