"""Answers what the database says. It connects once, when it starts."""

import socket
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

try:
    with socket.create_connection(("db", 7000)) as connection:
        rows = connection.makefile().readline()
except OSError as error:
    sys.exit(f"the database took no connection: {error}")


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(rows.encode())


print("connected to the database", flush=True)
ThreadingHTTPServer(("", 8000), Handler).serve_forever()
