"""A service with a read-only disk, no capabilities, and no way to get more."""

import json
import random
from pathlib import Path

from learn.bench import Bench

TITLE = "A service that can do only what it has to"
MINUTES = 12
HINTS = (
    "docs/commands.md, section Compose, has a service that is safe by default. Three of its lines are asked here; the next hint has the fourth.",
    "A disk that is read-only is read-only at /tmp as well: mount something there that lies in memory, a tmpfs.",
    "The keys are read_only, tmpfs, cap_drop and security_opt. The middle two take lists. To drop each capability, none has to be named.",
)
MUST_SAY = {
    "start": "written: /etc/x",
    "wrong-no-tmp": "Read-only file system",
    "wrong-host-tmp": "a folder of this machine, or of the disk",
    "wrong-other-user": "14 can be had",
    "wrong-some-capabilities": "13 can be had",
    "wrong-new-privileges": "NoNewPrivs: 0",
}
read = "docs/security.md#what-every-container-is-held-to"


def check(bench: Bench) -> None:
    look = Path(__file__).with_name("look.py")
    port, numbers = bench.free_port(), [random.randrange(1000) for _ in range(4)]
    up = bench.compose("up", "--detach", env={"PORT": str(port)})
    bench.expect(
        up.code == 0 and bench.wait(lambda: "ok" in bench.get(port)), "The service answers on $PORT",
        did="docker compose up --detach; curl http://127.0.0.1:$PORT",
        seen=(up.seen if up.code else bench.compose("logs", "web").seen) + "\nno answer",
        expected="ok", why="a service that is safe and does not run is of no use", read="docs/commands.md#compose-several-containers-one-file",
    )  # fmt: skip
    looked = bench.compose("exec", "-T", "--user", "0", "web", "python", "-c", look.read_text())
    seen = json.loads(looked.out) if looked.code == 0 else {}
    bench.expect(
        seen and not seen["written"], "No file of the container can be written, by root neither",
        did="docker compose exec web touch /etc/x (and in other places)",
        seen="written: " + ", ".join(seen["written"]) if seen else looked.seen.splitlines()[-1], expected="Read-only file system, in all of them",
        why="what cannot be written cannot be replaced by somebody who broke in", read=read,
    )  # fmt: skip
    answer = bench.get(port, body="".join(f"{number}\n" for number in numbers))
    in_memory = seen["tmp"] == "tmpfs"
    bench.expect(
        f"mean {sum(numbers) / 4:.3f}" in answer and in_memory, "What is sent lies in /tmp, in memory",
        did="curl --data-binary @numbers http://127.0.0.1:$PORT",
        seen=f"{answer.strip() or 'no answer'}\n/tmp is {'in memory' if in_memory else 'a folder of this machine, or of the disk'}",
        expected="the mean of the numbers, and a /tmp in memory (tmpfs)",
        why="a read-only disk is that at /tmp, too; a mount in its place has its own rules", read=read,
    )  # fmt: skip
    bench.expect(
        seen["capabilities"] == 0, "It has no capability, and no way to one",
        did="docker compose exec web grep CapBnd /proc/self/status", seen=f"of the capabilities, {seen['capabilities']} can be had",
        expected="0", why="another user than root has them out of sight, and a program can get them back; dropped ones are gone", read=read,
    )  # fmt: skip
    bench.expect(
        seen["no_new"] == "1", "No program in it can get more rights",
        did="docker compose exec web grep NoNewPrivs /proc/self/status", seen=f"NoNewPrivs: {seen['no_new']}", expected="NoNewPrivs: 1",
        why="programs such as su belong to root and run as root, whoever starts them, unless that is forbidden", read=read,
    )  # fmt: skip
