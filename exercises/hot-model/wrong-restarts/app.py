"""Predicts the price of a flat. Ends when there is a new model: Docker starts it again."""

import json
import os
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

FILE = Path("/models/model.json")
began_with = FILE.stat().st_mtime_ns
model = json.loads(FILE.read_text())


def end_when_new():
    while FILE.stat().st_mtime_ns == began_with:
        time.sleep(0.5)
    os._exit(0)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        area = float(self.path.split("/")[-1])
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"{model['price_per_square_metre'] * area:.0f}\n".encode())


threading.Thread(target=end_when_new, daemon=True).start()
ThreadingHTTPServer(("", 8000), Handler).serve_forever()
