"""Run lab 4's own main(), and print its numbers in place of exporting a model of noise."""

import json
import sys
from pathlib import Path

import train
from trainer.report import metrics_of
from trainer.training import Training


def write_outputs(folder: Path, training: Training) -> None:
    speeds = [row["samples_per_second"] for row in training.progress.history]
    print("RESULT" + json.dumps(metrics_of(training) | {"samples_per_second": speeds}))


train.write_outputs = write_outputs
sys.exit(train.main())
