"""Predicts, and counts it: /predict and /metrics."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

predictions = 0


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        global predictions
        if self.path == "/metrics":
            answer = f"# TYPE predictions_total counter\npredictions_total {predictions}\n"
        else:
            predictions += 1
            answer = "setosa\n"
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(answer.encode())


ThreadingHTTPServer(("", 8000), Handler).serve_forever()
