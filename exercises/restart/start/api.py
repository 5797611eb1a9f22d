"""A server with an error: /crash ends it."""

import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/crash":
            print("crashed", flush=True)
            os._exit(1)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ok\n")


ThreadingHTTPServer(("", 8000), Handler).serve_forever()
