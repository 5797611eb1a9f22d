"""A service that starts when the one it needs is ready, however long that takes."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

from learn.bench import Bench

TITLE = "Not before the database is ready"
MINUTES = 10
HINTS = (
    "Docker sees that a container runs. Whether the database in it takes connections, it has to be told: by a health check of db.",
    "depends_on has a long form with a condition, one that waits for the health check. docs/tutorials.md shows it.",
    "The image has no client for this database, but a Python that can open a connection to port 7000. When it fails, it ends with an error.",
)
MUST_SAY = {
    "start": "nothing in the file says that api needs db",
    "wrong-short-form": "waits until the container runs",
    "wrong-always-healthy": "has to try what api will do",
    "wrong-restart": "a restart policy hides",
    "wrong-sleep": "a pause is a guess",
    "wrong-impatient": "gave up on db",
}


def check(bench: Bench) -> None:
    port = bench.free_port()
    compose = partial(bench.compose, env={"PORT": str(port), "LOAD_SECONDS": "600"})
    read = "docs/tutorials.md#wait-with-sleep-10-until-the-database-is-up"
    built = compose("build")
    services = bench.compose_config().get("services", {})
    bench.expect(
        built.code == 0 and {"api", "db"} <= {*services}, "The images of api and db build",
        did="docker compose build", seen=built.seen, expected="exit code 0, and services called api and db",
        why="without its image a service cannot start", read="docs/concepts.md#compose",
    )  # fmt: skip
    with ThreadPoolExecutor() as pool:
        up = pool.submit(compose, "up", "--detach")

        def tried_in_vain() -> bool:
            health = bench.inspect(bench.service("db")).get("State", {}).get("Health") or {}
            return sum(one["ExitCode"] != 0 for one in health.get("Log") or []) > 1

        # While db loads: either all has started, or something waits for it. Then we let it be ready.
        bench.wait(lambda: up.done() or tried_in_vain(), 30)
        too_early = up.done()
        if not too_early:
            bench.docker("kill", "--signal=USR1", bench.service("db"))
    api, db = (bench.inspect(bench.service(name)) for name in ("api", "db"))
    log = partial(bench.logs, api.get("Id", ""))
    did = "docker compose up --detach, with a database that loads for minutes"
    unhealthy = (db.get("State", {}).get("Health") or {}).get("Status") == "unhealthy"
    bench.expect(
        api and db and not unhealthy, "Docker waits as long as the database loads",
        did=did, seen=up.result().seen.splitlines()[-1], expected="db is starting until it is ready, and not unhealthy",
        why="the health check gave up on db too early: it counts tries that fail, unless they are in its start period" if unhealthy
        else "an up that ends with an error starts nothing", read=read,
    )  # fmt: skip
    if too_early:  # see what comes of it: a refused connection, or a pause before that
        top = partial(bench.docker, "top", api["Id"])
        bench.wait(lambda: "no connection" in log() or "sleep" in top().out)
    needs = services["api"].get("depends_on", {}).get("db", {})
    if "no connection" not in log():
        why = "a pause is a guess: too short on a slow day, too long on all others"
    elif api["HostConfig"]["RestartPolicy"]["Name"] not in ("", "no"):
        why = "a restart policy hides attempts that failed; it does not wait for anything"
    elif not needs:
        why = "nothing in the file says that api needs db, so both start at once"
    elif needs["condition"] == "service_started":
        why = "depends_on in its short form waits until the container runs, not until the database in it is ready"
    else:
        why = "db is called healthy while it loads: the health check has to try what api will do"
    bench.expect(
        not too_early and "no connection" not in log(), "api starts when db is ready, not before",
        did=did, seen="api started while db was loading" + (f"\n{log()}" if "no connection" in log() else ""), expected="api waits; then: connected to the database", why=why, read=read,
    )  # fmt: skip
    bench.wait(lambda: bench.get(port))
    bench.expect(
        bench.get(port) == "150 rows\n", "api answers what the database said",
        did="curl http://127.0.0.1:$PORT", seen=bench.get(port) or log(), expected="150 rows",
        why="api has to find db, and its port 8000 is $PORT of your machine", read="docs/concepts.md#port",
    )  # fmt: skip
