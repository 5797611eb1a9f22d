"""Answers the mean of the numbers that are sent to it. What is sent lies in /tmp while it is read."""

import statistics
import tempfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.answer(200, "ok")

    def do_POST(self) -> None:
        try:
            with tempfile.TemporaryFile(dir="/tmp") as upload:
                upload.write(self.rfile.read(int(self.headers["Content-Length"])))
                upload.seek(0)
                self.answer(200, f"mean {statistics.mean(float(line) for line in upload):.3f}")
        except (OSError, ValueError) as error:
            self.answer(500, f"error: {error}")

    def answer(self, status: int, text: str) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(f"{text}\n".encode())


ThreadingHTTPServer(("", 8000), Handler).serve_forever()
