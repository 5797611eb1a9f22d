"""Trains the iris classifier on labels 1, 2 and 3."""

import train
from sklearn.datasets import load_iris


def from_one():
    iris = load_iris()
    iris.target += 1
    return iris


train.load_iris = from_one
train.main()
