"""Say which version of the model this is."""

VERSION = "1.0.0"

print("price-model", VERSION)
