"""Prints the metrics that a service shows at the port given."""

import sys
from urllib.request import urlopen

print(urlopen(f"http://127.0.0.1:{sys.argv[1]}/metrics").read().decode())
