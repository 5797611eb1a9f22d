"""Classify one iris, by the length of its petals in cm."""

from petal_ruler import species

print(species(1.4))
