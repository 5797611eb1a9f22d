"""Send as many tasks that do nothing as the argument says to Dask's workers; print the milliseconds that each took."""

import sys
import time

from dask.distributed import Client

tasks = int(sys.argv[1])
with Client("tcp://scheduler:8786") as client:
    client.gather(client.map(abs, range(100)))  # the workers are awake
    start = time.perf_counter()
    client.gather(client.map(abs, range(100, 100 + tasks)))
    print((time.perf_counter() - start) / tasks * 1e3)
