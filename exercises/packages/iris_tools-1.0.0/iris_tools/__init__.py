"""A nearest-mean classifier: a row is of the class whose mean is nearest."""

from __future__ import annotations

import csv
from math import dist
from statistics import fmean


def read_rows(path: str) -> tuple[list[list[float]], list[str]]:
    """The numbers of each row of a CSV file with a header, and its last column, the class."""
    with open(path, newline="", encoding="utf-8") as file:
        table = list(csv.reader(file))[1:]
    return [[float(number) for number in row[:-1]] for row in table], [row[-1] for row in table]


class NearestMean:
    def fit(self, rows: list[list[float]], labels: list[str]) -> NearestMean:
        self.means = {}
        for label in sorted(set(labels)):
            ours = [row for row, its in zip(rows, labels) if its == label]
            self.means[label] = [fmean(column) for column in zip(*ours)]
        return self

    def predict(self, row: list[float]) -> str:
        return min(self.means, key=lambda label: dist(row, self.means[label]))

    def accuracy(self, rows: list[list[float]], labels: list[str]) -> float:
        """The share of rows whose class is predicted."""
        return fmean(self.predict(row) == label for row, label in zip(rows, labels))
