"""Tells an iris by the length of its petals: the species whose mean is nearest."""

MEANS = {"setosa": 1.46, "versicolor": 4.26, "virginica": 5.55}


def species(petal_length: float) -> str:
    return min(MEANS, key=lambda name: abs(MEANS[name] - petal_length))
