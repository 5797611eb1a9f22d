"""A model server. `/health` says whether it can predict."""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

MODEL = Path(os.environ["MODEL"])


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        code, answer = (200, "ok") if MODEL.exists() else (503, "no model")
        if self.path != "/health":
            code, answer = 404, "there is only /health"
        self.send_response(code)
        self.end_headers()
        self.wfile.write(json.dumps({"status": answer}).encode())


ThreadingHTTPServer(("", 8000), Handler).serve_forever()
