"""What a run says: notices on standard error; on standard output a line of JSON an epoch, a bar on a terminal."""

from __future__ import annotations

import json
import logging
import sys
from shutil import get_terminal_size

from tqdm import tqdm

from trainer.device import where
from trainer.processes import Process
from trainer.training import Training

log = logging.getLogger("train")


def set_up_logging(me: Process) -> None:
    """Of several processes that would say the same, the first says it."""
    level = logging.INFO if me.is_first else logging.CRITICAL
    logging.basicConfig(format="%(message)s", stream=sys.stderr, force=True)
    log.setLevel(level)


def say_what_trains(training: Training, me: Process) -> None:
    at = where(training.device, me)
    processes = "1 process" if me.world == 1 else f"{me.world} processes"
    log.info(
        f"device: {at['device']} ({at['device_name']}), {at['precision']}, {processes} with "
        f"{at['threads']} thread(s) each; {len(training.data.train)} training samples"
    )
    if training.data.test is None:
        log.info(
            "synthetic images measure speed: there is nothing to learn in them, so no accuracy"
        )
    if training.is_complete:
        log.info("already trained; move outputs/checkpoint.pt away to train anew")
    elif training.steps_done:
        total = training.steps * training.settings.epochs
        log.info(f"resuming after step {training.steps_done} of {total}")


def say_where_it_stopped(training: Training) -> None:
    at = training.progress
    log.info(
        f"stopped after step {at.step} of epoch {at.epoch}, all of it saved: "
        "resume with the same command"
    )


def progress_bar(training: Training, me: Process) -> tqdm:
    # Unlike tqdm's own question, this one has an answer for a terminal that tells no size.
    size = get_terminal_size()
    return tqdm(
        total=training.steps * training.settings.epochs,
        initial=training.steps_done,
        unit="step",
        disable=not me.is_first or not sys.stderr.isatty(),
        ncols=size.columns,
        nrows=size.lines,
        bar_format="{percentage:3.0f}% {bar} {n_fmt}/{total_fmt}, {remaining} left{postfix}",
    )


def say_epoch(row: dict, bar: tqdm, me: Process) -> None:
    """Print the epoch's numbers as a line of JSON, or beside the bar where there is one."""
    accuracy = row["accuracy"]
    bar.set_postfix(
        epoch=row["epoch"], loss=f"{row['loss']:.4f}", accuracy=accuracy and f"{accuracy:.4f}"
    )
    if me.is_first and bar.disable:
        print(json.dumps({key: rounded(value) for key, value in row.items()}), flush=True)


def rounded(value: object) -> object:
    return float(f"{value:.5g}") if isinstance(value, float) else value
