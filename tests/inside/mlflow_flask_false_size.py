"""Download from a server that lists small files and sends without end; print what is said, and how much was kept."""

import http.server
import json
import pathlib
import threading

from predict import ModelError
from tracking_server import TrackingServer


class Liar(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        if "get-download-uri" in self.path:
            self.wfile.write(b'{"artifact_uri": "mlflow-artifacts:/1/models/m-1/artifacts"}')
        elif "?path=" in self.path:
            names = ("model.onnx", "model.json")
            files = [{"path": name, "is_dir": False, "file_size": 100} for name in names]
            self.wfile.write(json.dumps({"files": files}).encode())
        else:
            while True:
                self.wfile.write(bytes(1_000_000))

    def log_message(self, *_: object) -> None:
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 8000), Liar)
threading.Thread(target=server.serve_forever, daemon=True).start()
folder = pathlib.Path("/tmp/download")
folder.mkdir()
try:
    TrackingServer("http://127.0.0.1:8000", 3).download("churn", 1, folder)
except ModelError as error:
    print(error)
print(sum(path.stat().st_size for path in folder.iterdir()) < 17_000_000)
