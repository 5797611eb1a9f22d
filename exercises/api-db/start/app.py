"""Counts its visits, in a database."""

import os
import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DATABASE_HOST = os.environ.get("DATABASE_HOST", "localhost")


def ask_database(command):
    """Redis speaks lines of text: a command goes out, a line comes back."""
    with socket.create_connection((DATABASE_HOST, 6379), timeout=3) as connection:
        connection.sendall(f"{command}\r\n".encode())
        return connection.makefile().readline().strip()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        try:
            code, answer = 200, "visit " + ask_database("INCR visits").lstrip(":")
        except OSError as error:
            code, answer = 503, f"no database at {DATABASE_HOST}: {error}"
        self.send_response(code)
        self.end_headers()
        self.wfile.write(f"{answer}\n".encode())


ThreadingHTTPServer(("", 8000), Handler).serve_forever()
