"""Starts what a test run starts, says its marks, and waits to be killed: see house/test_cleanup.py."""

import signal

from docker_cli import LABEL, PROJECT_LABEL, PROJECT_PREFIX, docker

name = PROJECT_PREFIX + "run"
project = f"--label={PROJECT_LABEL}={name}"
docker("run", "--detach", "--label", LABEL, "python:3.13-slim", "sleep", "600")
docker("run", "--detach", "--name", name, project, "python:3.13-slim", "sleep", "600")
docker("commit", name)
docker("network", "create", project, name)
docker("volume", "create", project, name)
print(LABEL, name, flush=True)
signal.pause()
