"""Tell which model is served."""

import os
from http.server import BaseHTTPRequestHandler, HTTPServer

HOST = os.environ.get("HOST", "0.0.0.0")
PORT = 8000


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        with open("version.txt", "rb") as file:
            version = file.read()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"iris model " + version)


print(f"listening on {HOST}:{PORT}")
HTTPServer((HOST, PORT), Handler).serve_forever()
