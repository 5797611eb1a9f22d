"""Ends with exit code 1 unless the server answers 200 within three seconds."""

import http.client
import sys

connection = http.client.HTTPConnection("127.0.0.1", 8000, timeout=3)
try:
    connection.request("GET", "/health")
    sys.exit(connection.getresponse().status != 200)
except OSError as error:
    sys.exit(f"no answer: {error}")
