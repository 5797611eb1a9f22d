"""Learn from four flowers in five, and say how many of the others are recognised."""

from iris_tools import NearestMean, read_rows

rows, labels = read_rows("flowers.csv")
test_rows, test_labels = rows[::5], labels[::5]
train = [(row, label) for number, (row, label) in enumerate(zip(rows, labels)) if number % 5]

model = NearestMean().fit([row for row, _ in train], [label for _, label in train])
accuracy = model.accuracy(test_rows, test_labels)
print(f"accuracy: {accuracy:.3f} on {len(test_rows)} flowers")
