"""A health check that asks the server, and believes only a good answer."""

from __future__ import annotations

from typing import Any

from learn.bench import Bench

TITLE = "A container that knows when it is ill"
MINUTES = 12
HINTS = (
    "docker inspect shows under State.Health what each try of the health check printed. What does it say of curl?",
    "The image has no curl, but it has Python, and urllib.request.urlopen raises an error for a 503 and when nobody answers.",
    'A health check may be written like CMD, in brackets: HEALTHCHECK CMD ["python", "-c", "..."]. Ask /health, not only the port.',
)
MUST_SAY = {
    "start": "curl: not found",
    "wrong-always": "healthy, without a server",
    "wrong-any-answer": "healthy, while /health answers 503",
    "wrong-port-open": "healthy, while the server hangs",
}


def check(bench: Bench) -> None:
    read = "docs/tutorials.md#wait-with-sleep-10-until-the-database-is-up"
    image = bench.build(why="the Dockerfile has to build first", read=read)
    # Times of our own: the learner's may be long, and are theirs to choose.
    often = tuple(f"--health-{time}" for time in ("interval=1s", "timeout=4s", "retries=1", "start-period=0s"))  # fmt: skip
    well = bench.start(image, options=often)
    ill = bench.start(image, options=(*often, "--env", "MODEL=/none"))
    empty = bench.start(image, "infinity", options=(*often, "--entrypoint", "sleep"))

    def tries(name: str) -> list[dict[str, Any]]:
        return (bench.inspect(name).get("State", {}).get("Health") or {}).get("Log") or []

    def has_decided() -> bool:
        codes = [one["ExitCode"] for one in tries(well)]
        return 0 in codes or sum(code > 0 for code in codes) > 2  # -1: a busy machine, perhaps

    bench.wait(has_decided, 60 if bench.inspect(image)["Config"].get("Healthcheck") else 0)
    last = (tries(well) or [{"ExitCode": 1, "Output": "no try of a health check"}])[-1]
    bench.expect(
        last["ExitCode"] == 0, "It is healthy when /health answers 200",
        did="docker inspect (State.Health)", seen=last["Output"].strip()[-200:] or f"exit code {last['ExitCode']}",
        expected="a health check that ends with exit code 0",
        why="the check runs in the container, with the programs that its image has", read=read,
    )  # fmt: skip

    def expect_unhealthy(name: str, case: str, did: str, why: str) -> None:
        # One bad try from now on is enough. Of good ones it takes two: the first may have begun before.
        old = [one["Start"] for one in tries(name)]

        def codes() -> list[int]:
            return [one["ExitCode"] for one in tries(name) if one["Start"] not in old]

        bench.wait(lambda: any(codes()) or len(codes()) > 1, 60)
        bench.expect(
            any(codes()), f"It is unhealthy {case}",
            did=f"{did}, then docker inspect", seen=f"healthy, {case}", expected="unhealthy", why=why, read=read,
        )  # fmt: skip

    expect_unhealthy(empty, "without a server", "docker run --entrypoint sleep ...", "a command that asks nobody cannot tell anything")  # fmt: skip
    bench.docker("kill", "--signal=STOP", well)
    expect_unhealthy(well, "while the server hangs", "docker kill --signal=STOP ...", "the kernel accepts connections for a program that hangs: only an answer shows that it works")  # fmt: skip
    expect_unhealthy(ill, "while /health answers 503", "docker run --env MODEL=/none ...", "a 503 is an answer, too: what counts is which one")  # fmt: skip
