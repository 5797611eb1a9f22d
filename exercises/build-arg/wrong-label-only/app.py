"""Say which version of the model this is."""

import os

print("price-model", os.environ.get("VERSION", "unknown"))
