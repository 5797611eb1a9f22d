"""What a check works with: a copy of the learner's folder, the docker command, and two ways to end early.

Whatever a check starts is named after `Bench.name`, and goes when the check ends. Nothing waits by the clock: `wait`
asks again and again until something is true, or a deadline has passed.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Optional

Environment = Optional[dict[str, str]]

# The same content is the same image; no advice between the lines of an output.
QUIET = {"BUILDX_NO_DEFAULT_ATTESTATIONS": "1", "DOCKER_CLI_HINTS": "false"}
NO_BASE_IMAGE = (
    "failed to resolve source metadata"  # BuildKit, of a FROM that is not here and cannot be pulled
)


class Refused(Exception):
    """A step of the learner's that is not right yet, and five lines about it: did, seen, expected, why, read."""

    def __init__(self, step: str, lines: dict[str, str]) -> None:
        super().__init__(step)
        self.step, self.lines = step, lines


class CannotCheck(Exception):
    """Something that is no mistake of the learner's: no engine, no space, no image."""


@dataclass(frozen=True)
class Done:
    """A command that has ended: its exit code, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def seen(self) -> str:
        """The last lines of both streams, or the exit code where nothing was printed."""
        lines = [line for line in (self.out + self.err).splitlines() if line.strip()]
        return "\n".join(lines[-8:]) or f"nothing printed, exit code {self.code}"


def run_command(
    *args: str, timeout: float = 60, env: Environment = None, folder: Path | None = None
) -> Done:
    """Run a command to its end; after `timeout` seconds it is ended, with code 124.

    Raises CannotCheck when there is no such command, or no space left on the disk.
    """
    try:
        done = subprocess.run(
            args, cwd=folder, env={**os.environ, **QUIET, **(env or {})}, timeout=timeout, check=False,
            stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", errors="replace",
        )  # fmt: skip
    except FileNotFoundError:
        raise CannotCheck(f"this machine has no command '{args[0]}' (docs/install.md)") from None
    except subprocess.TimeoutExpired:
        return Done(124, "", f"not done within {timeout:g} seconds")
    if "no space left on device" in done.stderr:
        raise CannotCheck("the disk has no space left for Docker (docker system df)")
    if done.returncode and NO_BASE_IMAGE in done.stderr:
        missing = "a base image cannot be pulled: is its name misspelt? The exercises use those that their tasks name"
        raise CannotCheck(f"{missing}:\n{done.stderr.strip().splitlines()[-1]}")
    return Done(done.returncode, done.stdout, done.stderr)


class Bench:
    """`folder` is a copy of what the learner wrote: a check may change it."""

    def __init__(self, beside: Path, say: Callable[[str], None], offline: bool = False) -> None:
        self.name = f"exercise-{os.getpid()}-{random.randrange(16**6):06x}"
        self.folder = beside / self.name
        self.say = say
        # The suite's proof: nothing is fetched while an image is built.
        self.build_options = ["--network=none"] if offline else []
        self._made = 0

    def new_name(self) -> str:
        """A name for an image, a container, a volume or a network that goes when the check ends."""
        self._made += 1
        return f"{self.name}-{self._made}"

    def expect(self, right: object, step: str, **lines: str) -> None:
        """Print `step` when it is right; else end the check with what there is to know (see Refused)."""
        if not right:
            raise Refused(step, lines)
        self.say(step)

    def command(self, *args: str, timeout: float = 60, env: Environment = None) -> Done:
        """Run a command in `folder`."""
        return run_command(*args, timeout=timeout, env=env, folder=self.folder)

    def docker(self, *args: str, timeout: float = 60, env: Environment = None) -> Done:
        return self.command("docker", *args, timeout=timeout, env=env)

    def build(
        self, *options: str, why: str, read: str, step: str = "The image builds", context: str = "."
    ) -> str:
        """Build `folder` as `docker build OPTIONS .` does, print the step, and return the image's name."""
        image = self.new_name()
        done = self.try_build(image, *options, context=context)
        did = " ".join(["docker build", *options, context])
        wanted = "an image, exit code 0"
        self.expect(
            done.code == 0, step, did=did, seen=done.seen, expected=wanted, why=why, read=read
        )
        return image

    def try_build(
        self, image: str, *options: str, context: str = ".", timeout: float = 300
    ) -> Done:
        """Build without judging: a build that has to fail, or one more after a change."""
        command = ["build", "--progress=plain", "--tag", image, *self.build_options, *options]
        return self.docker(*command, context, timeout=timeout)

    def run(
        self, image: str, *command: str, options: tuple[str, ...] = (), timeout: float = 60
    ) -> Done:
        """Run a container to its end."""
        started = ("run", "--rm", "--name", self.new_name(), *options, image, *command)
        return self.docker(*started, timeout=timeout)

    def start(self, image: str, *command: str, options: tuple[str, ...] = ()) -> str:
        """Start a container in the background and return its name, whether or not it stays up."""
        name = self.new_name()
        self.docker("run", "--detach", "--name", name, *options, image, *command)
        return name

    def inspect(self, name: str) -> dict[str, Any]:
        """What `docker inspect` says of anything that has a name; empty when it is not there."""
        done = self.docker("inspect", name)
        return json.loads(done.out)[0] if done.code == 0 else {}

    def running(self, name: str) -> bool:
        return bool(self.inspect(name).get("State", {}).get("Running"))

    def logs(self, name: str) -> str:
        done = self.docker("logs", name)
        return done.seen if done.out or done.err else "nothing is in its log"

    def compose(self, *args: str, timeout: float = 180, env: Environment = None) -> Done:
        """`docker compose ARGS` in `folder`, as a project that goes when the check ends."""
        return self.docker("compose", "--project-name", self.name, *args, timeout=timeout, env=env)

    def compose_config(self, *options: str) -> dict[str, Any]:
        """The compose file as Docker understands it, in whichever syntax; empty when it is not valid."""
        done = self.compose(*options, "config", "--format", "json")
        return json.loads(done.out) if done.code == 0 else {}

    def service(self, service: str) -> str:
        """The id of a compose service's container, running or not; empty when there is none."""
        return self.compose("ps", "--all", "--quiet", service).out.strip()

    def wait(self, predicate: Callable[[], object], seconds: float = 20) -> bool:
        """Ask until it is true, for so many seconds at most."""
        deadline = time.monotonic() + seconds
        while not predicate():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.1)
        return True

    def get(self, port: int, path: str = "/", body: str | None = None) -> str:
        """What 127.0.0.1:port answers (with a body: to a POST), a refusal's status before it; or "" for no answer."""
        data = None if body is None else body.encode()
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data)
        request.add_header("Content-Type", "application/json")
        # Never by way of a proxy that this machine may be set to use.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=5) as answer:
                return answer.read().decode(errors="replace")
        except urllib.error.HTTPError as error:
            return f"{error.code} {error.read().decode(errors='replace')}"
        except (OSError, ValueError):
            return ""

    def free_port(self) -> int:
        """A TCP port of 127.0.0.1 that nothing listens on."""
        while True:
            port = random.randrange(20_000, 32_000)
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)):
                    return port

    def remove(self) -> None:
        """Remove everything that bears this bench's name, and the folder."""
        sweep(lambda name: name.startswith(self.name))
        shutil.rmtree(self.folder, ignore_errors=True)
        if self.folder.exists():  # a container wrote files that only its user may remove
            mount = f"--volume={self.folder.parent}:/beside"
            command = ("rm", "-rf", f"/beside/{self.name}")
            run_command("docker", "run", "--rm", mount, "python:3.13-slim", *command)


# How each kind is listed, and removed. With a container go the volumes that have no name. Behind a name stands its compose
# project: what a compose file names itself is known by that.
PROJECT = '{{.Label "com.docker.compose.project"}}'
KINDS = {
    "container": (("ls", "--all", "--format", "{{.Names}} " + PROJECT), ("rm", "--force", "--volumes")),
    "image": (("ls", "--filter=reference=exercise-*", "--format={{.Repository}}:{{.Tag}}"), ("rm", "--force")),
    "volume": (("ls", "--format", "{{.Name}} " + PROJECT), ("rm", "--force")),
    "network": (("ls", "--format", "{{.Name}} " + PROJECT), ("rm",)),
}  # fmt: skip


def sweep(is_leftover: Callable[[str], bool]) -> None:
    """Remove the containers, images, volumes and networks whose name, or whose project's name, is a leftover."""
    for kind, (listing, removal) in KINDS.items():
        listed = run_command("docker", kind, *listing).out.splitlines()
        gone = [names[0] for names in map(str.split, listed) if any(map(is_leftover, names))]
        if gone:
            run_command("docker", kind, *removal, *gone)


def is_of_a_killed_check(name: str) -> bool:
    """Whether a Bench has given that name, and its process is gone. Windows has no harmless way to ask that."""
    ours = re.match(r"exercise-(\d+)-[0-9a-f]{6}(?![0-9A-Za-z])", name)
    if os.name == "nt" or not ours:
        return False
    try:
        os.kill(int(ours[1]), 0)
    except OSError as error:
        return isinstance(error, ProcessLookupError)
    return False
