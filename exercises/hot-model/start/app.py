"""Predicts the price of a flat: GET /price/SQUARE-METRES."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

model = json.loads(Path("/models/model.json").read_text())


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        area = float(self.path.split("/")[-1])
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"{model['price_per_square_metre'] * area:.0f}\n".encode())


ThreadingHTTPServer(("", 8000), Handler).serve_forever()
