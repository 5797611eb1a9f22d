"""A container in the background, with a name and a port."""

from learn.bench import Bench

TITLE = "A server that runs on while you do something else"
MINUTES = 5
HINTS = (
    "docs/concepts.md, section Container, starts one in the background. Which option does that?",
    "Three options come before the image: one for the background, one for the name, one for the port. The program comes after it.",
    "A port is published as 127.0.0.1:PORT-OF-THIS-MACHINE:PORT-OF-THE-CONTAINER.",
)
MUST_SAY = {
    "start": "there is no container of that name",
    "wrong-foreground": "not done within",
    "wrong-option-last": "options before the image's name",
    "wrong-no-port": "no port is published",
    "wrong-no-program": "the container has ended",
}


def check(bench: Bench) -> None:
    name, port = bench.new_name(), bench.free_port()
    did, read = "NAME=... PORT=... sh run.sh", "docs/concepts.md#container"
    done = bench.command("sh", "run.sh", env={"NAME": name, "PORT": str(port)}, timeout=15)
    waits = "in the foreground docker waits for the program, and a server never ends"
    order = (
        "docker run takes its options before the image's name; what comes after it is the program"
    )
    bench.expect(
        done.code == 0, "run.sh ends, and without an error",
        did=did, seen=done.seen, expected="it gives the prompt back, exit code 0",
        why=waits if done.code == 124 else order, read=read,
    )  # fmt: skip
    state = bench.inspect(name)
    bench.expect(
        state, "There is a container $NAME",
        did=did, seen="there is no container of that name", expected="a container called $NAME",
        why="Docker finds a name of its own where it is given none", read=read,
    )  # fmt: skip
    ports = state["HostConfig"]["PortBindings"] or {}
    hosts = [binding["HostIp"] for bindings in ports.values() for binding in bindings]
    everybody = "without an address Docker publishes to everybody on the network"
    bench.expect(
        hosts == ["127.0.0.1"], "One port is published, on 127.0.0.1",
        did="docker port $NAME", seen=bench.docker("port", name).out or "no port is published",
        expected="127.0.0.1:$PORT",
        why=everybody if hosts else "from outside, a container is reached only at a port that is published",
        read="docs/concepts.md#port",
    )  # fmt: skip
    bench.wait(lambda: bench.get(port) or not bench.running(name))
    ended = f"the container has ended: {bench.logs(name)}"
    program = "a container lives as long as its program, which comes after the image's name"
    numbers = "the first number is a port of this machine, the second one of the container"
    bench.expect(
        "Directory listing" in bench.get(port), "It runs on, and answers on $PORT",
        did="curl http://127.0.0.1:$PORT", seen="no answer" if bench.running(name) else ended,
        expected="a page that lists a directory",
        why=numbers if bench.running(name) else program, read="docs/concepts.md#port",
    )  # fmt: skip
