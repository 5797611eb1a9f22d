"""Asks, and does not look at the answer: 503 is as good as 200."""

import http.client

connection = http.client.HTTPConnection("127.0.0.1", 8000, timeout=3)
connection.request("GET", "/health")
print(connection.getresponse().read())
