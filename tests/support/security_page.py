"""docs/security.md, from what was seen on running containers. The same sightings make the same page."""

from __future__ import annotations

from posture import ROWS, Row, Sighting

HEAD = """\
# What every container is held to

The test suite brings up every service of every lab, under a random user id, and reads the rows below off the running
container: from `docker inspect`, and from inside, where the kernel has the last word. It then stops every process of
a service, as a deadlock would, and waits for its health check to notice. This page is made by `tests/house/test_security.py`,
and a test fails when it says something else than what was seen.

Numbers are those of the CIS Docker Benchmark 1.6, sections 4 (images) and 5 (containers); a dash marks what it does not
have. A tick stands for every container of the lab, unless names follow it; n/a says why a row does not apply. A job ends
by itself, so it has neither health check nor restart; it is looked at with `sleep` in place of its work.
"""

NOTES = """\
- 4.4: each run asks `pip-audit` about every locked package, and an advisory fails it. Where no source of advisories
  is in reach, `pip-audit` would call all of them clean; the run says "not checked" instead. The row shows what the run
  that made this page saw.
- 4.10: searched for are the secrets that were generated for the run, variables named like one, and the shapes that well
  known services give their keys. The files of the repository are searched as well.
- A random uid: the README of every lab, its jobs with it, is run under one too, by `tests/docs/test_readmes.py`.
- 5.4: a database image may add back what its entrypoint needs. None does: each is started as its own user.
- 5.15: the benchmark asks for `on-failure` with 5 tries. A service here comes back after any end but `docker stop`, with
  Docker's growing pause between tries.
"""

ADVISORIES = ("4.4", "no advisory known against the locked packages")


def render(labs: dict[str, list[Sighting]], audited: dict[str, bool], unused: set[str]) -> str:
    """Return the page: what was seen of each lab, whether its packages were audited, files not used."""
    rows = [(row.number, row.title, [cell(row, seen) for seen in labs.values()]) for row in ROWS]
    verdicts = ["✓" if audited[lab] else "not checked" for lab in labs]
    # Python's sort is stable, and the dash sorts behind the numbers.
    rows = sorted([*rows, (*ADVISORIES, verdicts)], key=lambda row: numbers(row[0]))
    return "\n".join(
        [
            HEAD,
            *table(["row", "requirement", *labs], [[n, title, *cells] for n, title, cells in rows]),
            "",
            NOTES,
            "The containers:",
            "",
            *(f"- {lab}: {', '.join(counted(seen))}" for lab, seen in labs.items()),
            "",
            "Not brought up, for what a test machine lacks or because they are for a developer's own machine: "
            + ", ".join(f"`{path}`" for path in sorted(unused))
            + ". These compose files are checked as text.",
            "",
        ]
    )


def numbers(number: str) -> tuple[int, ...]:
    return tuple(map(int, number.split("."))) if number[0].isdigit() else (99,)


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]


def counted(seen: list[Sighting]) -> list[str]:
    kind = {s.name: "service" if s.stays_up else "job" for s in seen}
    return [f"{name} ({kind[name]})" for name in sorted(kind)]


def cell(row: Row, seen: list[Sighting]) -> str:
    """Return what a row says of a lab: the same word for all its containers, or each word with their names."""
    words: dict[str, set[str]] = {}
    for sighting in seen:
        words.setdefault(word(row, sighting), set()).add(sighting.name)
    # A container seen in several profiles counts as exempt only where it was in each.
    held = set().union(*(names for said, names in words.items() if not said.startswith("n/a")))
    left = {
        said: names - held if said.startswith("n/a") else names for said, names in words.items()
    }
    said = {what: names for what, names in sorted(left.items(), reverse=True) if names}
    if len(said) == 1:
        return next(iter(said))
    return "; ".join(f"{what} {', '.join(sorted(names))}" for what, names in said.items())


def word(row: Row, seen: Sighting) -> str:
    if reason := row.exempt(seen):
        return f"n/a ({reason})"
    return {True: "✓", False: "✗", None: "not looked for"}[row.holds(seen)]
