"""How gunicorn runs the service; read before a worker starts, so that a bad setting ends everything at once."""

import os
import sys

import logs
from settings import SettingError, read_settings

try:
    settings = read_settings(os.environ)
except SettingError as error:
    print(error, file=sys.stderr)
    raise SystemExit(2) from None

bind = "0.0.0.0:5000"
# One process with threads: one log file, one follower of the registry, the models in memory once. More
# throughput: more containers.
workers = 1
threads = 8
worker_class = "gthread"
# The heartbeat is a file: on a disk that stalls, a healthy worker would be killed.
worker_tmp_dir = "/dev/shm"
graceful_timeout = 10
control_socket_disable = True
logconfig_dict = logs.configuration(settings)
