"""How gunicorn runs the service; read before a worker starts, so that a bad setting ends everything at once."""

import os
import sys

import gevent
import logs
from settings import SettingError, read_settings

try:
    settings = read_settings(os.environ)
except SettingError as error:
    print(error, file=sys.stderr)
    raise SystemExit(2) from None

bind = "0.0.0.0:5000"
# One process: one log file, one follower of the registry, the models in memory once. More throughput: more containers.
workers = 1
# A connection costs no thread, so that half a request keeps nobody else waiting. It may be silent for so many seconds,
# and the head of a request may take as long; for bodies see BODY_SECONDS in app.py.
worker_class = "gevent"
keepalive = 5
# Each may bring a body of 1 MB: this many fit into the container's memory.
worker_connections = 100
# The heartbeat is a file: on a disk that stalls, a healthy worker would be killed.
worker_tmp_dir = "/dev/shm"
graceful_timeout = 10
control_socket_disable = True
logconfig_dict = logs.configuration(settings)


def post_request(worker: object, request: object, environ: object, response: object) -> None:
    """Let others have their turn: where the next request is here already, gevent would go on with this caller alone."""
    gevent.sleep(0)
