"""Steady load on a lab while one part of it after another breaks; at the end the account.

    make soak LAB=ml-prod-demo MINUTES=10 SEED=7

The lab runs from a copy, under a project and on ports of its own. All faults come in an order that follows from the seed,
each once before any comes again; after each one the lab has to be well before the next. What listens on the port is
never killed: every question of an honest caller has to be answered. Exit code 1 when something is not as promised.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from random import Random

import churn_soak
import iris_soak
from account import Account, records_of
from docker_cli import sweep
from memory import Memory

Soak = iris_soak.IrisSoak | churn_soak.ChurnSoak
LABS: dict[str, tuple[Callable[[Path, Random], Soak], list]] = {
    "ml-prod-demo": (iris_soak.IrisSoak, iris_soak.FAULTS),
    "mlflow-flask": (churn_soak.ChurnSoak, churn_soak.FAULTS),
}


def in_rounds(faults: list, random: Random) -> Iterator[Callable]:
    """Yield faults for ever: all of them in some order, then all of them in another."""
    while True:
        yield from random.sample(faults, len(faults))


def trouble_of(name: str, soak: Soak, *steps: Callable[[], None]) -> list[str]:
    """Take the steps; return and print what went wrong, and print what the services say of it."""
    try:
        for step in steps:
            step()
    except Exception as error:  # noqa: BLE001 - whatever it is, it belongs into the account
        reason = f"{name}: {str(error).partition(chr(10))[0]}"
        print(f"{reason}\n{soak.log()}", flush=True)
        return [reason]
    return []


def break_things(soak: Soak, faults: Iterator[Callable], seconds: float) -> list[str]:
    """Let one fault after another happen for so long; return what did not go as it should."""
    troubles = []
    started = time.monotonic()
    while (now := time.monotonic() - started) < seconds:
        fault = next(faults)
        print(f"{now:6.0f} s  {fault.__name__}", flush=True)
        troubles += trouble_of(fault.__name__, soak, partial(fault, soak), soak.calm)
    return troubles


def run(lab: str, minutes: float, seed: int) -> Account:
    random = Random(seed)
    make, faults = LABS[lab]
    with tempfile.TemporaryDirectory() as folder:
        soak = make(Path(folder), random)
        try:
            soak.start()
            with Memory(soak.watched()) as memory, soak.client:
                troubles = break_things(soak, in_rounds(faults, random), minutes * 60)
            troubles += trouble_of("the end", soak, soak.settle)
            records = records_of(soak.client, soak.stored(), soak.kills)
            return Account(soak.client, records, memory.trends(), troubles)
        finally:
            soak.project.down()
            sweep()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lab", choices=LABS)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    chosen = parser.parse_args()
    # Stopped in any way, it takes down what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    print(f"soak: {chosen.lab}, {chosen.minutes:g} minutes, SEED={chosen.seed}", flush=True)
    account = run(chosen.lab, chosen.minutes, chosen.seed)
    print(account, flush=True)
    for problem in account.problems():
        print(f"soak: {problem}", file=sys.stderr)
    return 1 if account.problems() else 0


if __name__ == "__main__":
    sys.exit(main())
