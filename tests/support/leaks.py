"""Secrets where everyone can read them: in an image, its history, a container's settings, the repository."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable

from docker_cli import LABEL, docker

# A variable by such a name with a value in it. A name that ends in _FILE says where the secret is, which is no secret.
NAMED = re.compile(
    r"\b(\w*(?:PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|PRIVATE_KEY)\w*)=(?=[^\s\"'$])", re.IGNORECASE
)

# What hands out such keys gives them these shapes, for searches like this one.
SHAPED = re.compile(
    r"AKIA[0-9A-Z]{16}|gh[pousr]_\w{36}|github_pat_\w{22}|glpat-[\w-]{20}|xox[abprs]-[\w-]{10}"
    r"|AIza[\w-]{35}|hf_[A-Za-z]{34}|-----BEGIN [A-Z ]*PRIVATE KEY|://\w+:\w{3,}@"
)


def in_text(text: str, made: Iterable[str], where: str) -> list[str]:
    """Return what is in a text of the secrets `made` for the test, and of what is named or shaped like one."""
    found = [f"{where}: a generated secret" for secret in made if secret in text]
    found += [f"{where}: {match[0][:12]}..." for match in SHAPED.finditer(text)]
    names = [match[1] for match in NAMED.finditer(text)]
    return found + [f"{where}: {name}" for name in names if not name.upper().endswith("_FILE")]


def in_record(record: dict, made: Iterable[str]) -> list[str]:
    """Return what `docker inspect` shows of secrets: in the environment, or one of `made` anywhere."""
    environment = "\n".join(record["Config"]["Env"] or [])
    anywhere = [s for s in made if s in json.dumps(record)]
    return in_text(environment, anywhere, "environment") + ["docker inspect"] * bool(anywhere)


def in_history(image: str, made: Iterable[str]) -> list[str]:
    history = docker("history", "--no-trunc", "--format", "{{.CreatedBy}}", image).stdout
    return in_text(history, made, "history")


@functools.cache
def in_files(image: str, made: tuple[str, ...]) -> list[str]:
    """Return the files of an image that hold one of `made`. The image needs GNU grep."""
    if not made:
        return []
    run = ["run", "--rm", "--label", LABEL, "--network=none", "--user=0", "--entrypoint=grep"]
    search = ["-rlsF", "--exclude-dir=proc", "--exclude-dir=sys", "\n".join(made), "/"]
    done = docker(*run, image, *search, check=False)
    # 1: found nothing.
    assert done.returncode < 2 or done.stdout, done.stderr
    return [f"file in the image: {path}" for path in done.stdout.split()]
