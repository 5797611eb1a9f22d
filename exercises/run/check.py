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
    "wrong-no-port": "no port is published",
}


def check(bench: Bench) -> None:
    name, port = bench.new_name(), bench.free_port()
    done = bench.command("sh", "run.sh", env={"NAME": name, "PORT": str(port)}, timeout=15)
    did = "NAME=... PORT=... sh run.sh"
    bench.expect(
        done.code == 0, "run.sh ends, and without an error",
        did=did, seen=done.seen, expected="it gives the prompt back, exit code 0",
        why="in the foreground docker waits for the program, and a server never ends", read="docs/concepts.md#container",
    )  # fmt: skip
    state = bench.inspect(name)
    bench.expect(
        bench.running(name), "The container $NAME runs on",
        did=did, seen=bench.logs(name) if state else "there is no container of that name",
        expected="a container called $NAME that is running",
        why="a container lives as long as its program", read="docs/concepts.md#container",
    )  # fmt: skip
    ports = state["HostConfig"]["PortBindings"] or {}
    hosts = [binding["HostIp"] for bindings in ports.values() for binding in bindings]
    bench.expect(
        hosts == ["127.0.0.1"], "One port is published, on 127.0.0.1",
        did="docker port $NAME", seen=bench.docker("port", name).out or "no port is published",
        expected="127.0.0.1:$PORT",
        why="without an address Docker publishes to everybody on the network", read="docs/concepts.md#port",
    )  # fmt: skip
    bench.expect(
        bench.wait(lambda: "Directory listing" in bench.get(port)), "It answers on $PORT",
        did="curl http://127.0.0.1:$PORT", seen=bench.get(port) or "no answer",
        expected="a page that lists a directory",
        why="the right number is the port in the container, where the program listens", read="docs/concepts.md#port",
    )  # fmt: skip
