"""Trains the iris classifier with another regularisation: other coefficients, so another file."""

import train
from sklearn.linear_model import LogisticRegression

train.LogisticRegression = lambda **options: LogisticRegression(C=0.5, **options)
train.main()
