"""Exit code 0 when the recorder reaches both Redis and Postgres."""

import sys
from urllib.request import urlopen

with urlopen("http://127.0.0.1:9100/metrics", timeout=4) as answer:
    sys.exit(b"\nrecorder_connected 1.0\n" not in answer.read())
