"""Learn from four flowers in five, and say how many of the others are recognised."""

import sys

if sys.version_info < (3, 12):
    sys.exit(f"train.py needs Python 3.12 or newer, and this is {sys.version.split()[0]}")

from itertools import batched

from iris_tools import NearestMean, read_rows

rows, labels = read_rows("flowers.csv")
# Of each five flowers the first is for the test.
test_rows, test_labels = rows[::5], labels[::5]
train_rows = [row for five in batched(rows, 5) for row in five[1:]]
train_labels = [label for five in batched(labels, 5) for label in five[1:]]

model = NearestMean().fit(train_rows, train_labels)
accuracy = model.accuracy(test_rows, test_labels)
print(f"accuracy: {accuracy:.3f} on {len(test_rows)} flowers")
