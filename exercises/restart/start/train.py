"""A job that cannot succeed: its data is not there."""

import sys

sys.exit("no data at /data/flats.csv")
