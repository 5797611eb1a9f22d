"""Type a command (argument 2) into a new terminal of the server (token: argument 1), print what comes back.

It ends when `=42` does.
"""

import json
import sys
import urllib.request

import websocket

server, token = "127.0.0.1:8888", f"token {sys.argv[1]}"
request = urllib.request.Request(f"http://{server}/api/terminals", b"", {"Authorization": token})
name = json.load(urllib.request.urlopen(request))["name"]
socket = websocket.create_connection(
    f"ws://{server}/terminals/websocket/{name}", header={"Authorization": token}, timeout=30
)
socket.send(json.dumps(["stdin", sys.argv[2] + "\r"]))
said = ""
while "=42" not in said:
    kind, text = json.loads(socket.recv())[:2]
    said += text if kind == "stdout" else ""
print(said)
