"""Two addresses: the one that the program listens on in its container, and the one that is published on the machine."""

import random

from learn.bench import Bench

TITLE = "A server for your machine, and for nobody else"
MINUTES = 10
HINTS = (
    "There are two mistakes: one in the container, one outside. What does the log say that it listens on?",
    "A container has addresses of its own. 127.0.0.1 is heard only within it; look in app.py for the setting.",
    "0.0.0.0 means every address: right for the program in its container. For --publish it would be too much; that takes an address in front.",
)
MUST_SAY = {
    "start": "its 127.0.0.1 is heard",
    "wrong-everybody": "on every address",
    "wrong-fixed-port": "already allocated",
    "wrong-host-network": "no port is published",
    "wrong-inner-port": "the second number of --publish",
}


def check(bench: Bench) -> None:
    read = "docs/concepts.md#port"
    version = str(random.randrange(10**9))
    (bench.folder / "version.txt").write_text(version)
    image = bench.build(why="a line of the Dockerfile failed", read="docs/commands.md#images")
    copies = {bench.new_name(): bench.free_port() for _ in range(2)}
    for name, port in copies.items():
        done = bench.command("sh", "run.sh", timeout=30, env={"IMAGE": image, "NAME": name, "PORT": str(port)})  # fmt: skip
        if done.code or not bench.running(name):
            break
    bench.expect(
        all(map(bench.running, copies)), "Two copies run side by side", did="NAME=... PORT=... sh run.sh, twice",
        seen=done.seen if done.code else bench.logs(name), expected="two containers, each called $NAME",
        why="a port of this machine belongs to one container, and so does a name", read="docs/troubleshooting.md#the-port-is-in-use",
    )  # fmt: skip
    bindings = [bench.inspect(copy)["HostConfig"].get("PortBindings") or {} for copy in copies]
    hosts = [[host for hosts in bound.values() for host in hosts] for bound in bindings]
    shown = bench.docker("port", name).out or "no port is published"
    bench.expect(
        [[host["HostPort"] for host in each] for each in hosts] == [[str(port)] for port in copies.values()],
        "Each has its $PORT", did="docker port $NAME", seen=shown, expected="one port of the container, at $PORT of this machine",
        why="a container has ports of its own: --publish gives one of them a number on this machine", read=read,
    )  # fmt: skip
    answers = lambda port: version in bench.get(port)
    bench.wait(lambda: "listening" in bench.logs(name) or answers(port))
    inner = next(iter(bindings[-1])).split("/")[0]
    log = bench.logs(name).splitlines()[-1]
    bench.expect(
        bench.wait(lambda: all(map(answers, copies.values())), 5), "Both answer", did="curl http://127.0.0.1:$PORT",
        seen=f"no version; $PORT leads to port {inner} of the container; its log says: {log}", expected="the version that is in version.txt",
        why="--publish leads to the container's address in the network; its 127.0.0.1 is heard within the container only"
        if inner in log else "the second number of --publish is the port that the program listens on, in the container", read=read,
    )  # fmt: skip
    bench.expect(
        {host["HostIp"] for each in hosts for host in each} <= {"127.0.0.1", "::1"}, "Nobody but this machine gets in",
        did="docker port $NAME", seen=shown, expected="127.0.0.1:$PORT",
        why="without an address in front Docker publishes on every address that this machine has", read=read,
    )  # fmt: skip
