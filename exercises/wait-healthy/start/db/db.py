"""A database that loads its data before it takes connections. It says how many rows it has."""

import os
import signal
import socketserver

print("loading", flush=True)
# Or until a signal says that it is enough: so the check decides how long it takes.
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
signal.sigtimedwait({signal.SIGUSR1}, float(os.environ["LOAD_SECONDS"]))


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(b"150 rows\n")


with socketserver.ThreadingTCPServer(("", 7000), Handler) as server:
    print("ready for connections", flush=True)
    server.serve_forever()
