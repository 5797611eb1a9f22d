"""Say on port 8000 which model is loaded. POST /stop ends the program, as an error would."""

import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

MODEL = Path("model.txt").read_text().strip()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"model: {MODEL}\n".encode())

    def do_POST(self) -> None:
        if self.path == "/stop":
            os._exit(3)
        self.send_error(404)


ThreadingHTTPServer(("0.0.0.0", 8000), Handler).serve_forever()
