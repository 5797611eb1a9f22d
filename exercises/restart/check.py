"""A service that comes back, and a job that does not loop."""

from learn.bench import Bench

TITLE = "Comes back, or stays down"
MINUTES = 8
HINTS = (
    "Docker can start a container again when it has ended. Whether it does is said for each container by its restart policy.",
    'docs/commands.md lists the policies under "A container\'s life". In a compose file each service has its own, and none means: never.',
    "One policy starts a container again unless somebody has stopped it. Which of the two services should have that one?",
)
MUST_SAY = {
    "start": "after crash 1",
    "wrong-once": "after crash 2",
    "wrong-both-always": "whatever its exit code",
    "wrong-on-failure": "each time that it fails",
    "wrong-few-times": "started again 3 times",
}


def check(bench: Bench) -> None:
    port = bench.free_port()
    read = "docs/commands.md#a-containers-life"
    up = bench.compose("up", "--build", "--detach", env={"PORT": str(port)})
    api, train = map(bench.service, ("api", "train"))
    bench.expect(
        bench.wait(lambda: bench.get(port) == "ok\n") and bench.inspect(train), "docker compose up starts api and train",
        did="docker compose up --build --detach", seen=up.seen, expected="api answers, and train has started",
        why="without a start there is nothing to start again", read=read,
    )  # fmt: skip

    def ended(name: str) -> bool:
        """Ended for good: between two starts the status is restarting."""
        return bench.inspect(name).get("State", {}).get("Status") == "exited"

    crashes = 0
    while crashes < 3 and not ended(api):
        crashes += 1
        bench.get(port, "/crash")
        bench.wait(lambda: bench.get(port) == "ok\n" or ended(api), 30)
    bench.expect(
        bench.get(port) == "ok\n", "api is back after each of three crashes",
        did="curl http://127.0.0.1:$PORT/crash", seen=f"after crash {crashes} api has exited with code 1 and is not started again",
        expected="ok from http://127.0.0.1:$PORT a moment later",
        why="Docker starts a container again as often as its restart policy says, and without one never", read=read,
    )  # fmt: skip
    bench.wait(lambda: ended(train) or bench.inspect(train)["RestartCount"] > 4, 60)
    end = bench.inspect(train)
    policy = end["HostConfig"]["RestartPolicy"]["Name"]
    again = "each time that it fails" if policy == "on-failure" else "whatever its exit code"
    bench.expect(
        ended(train) and not end["RestartCount"], "train fails and stays as it is",
        did="docker inspect", seen=f"train has failed and was started again {end['RestartCount']} times",
        expected="exited with code 1, not started again",
        why=f"a job with such a policy is started again {again}", read=read,
    )  # fmt: skip
