"""Run the Python program that the argument names; print its exit code, seconds and most memory as one line of JSON."""

import json
import resource
import subprocess
import sys
import time

start = time.perf_counter()
code = subprocess.run([sys.executable, sys.argv[1]], stdout=sys.stderr, check=False).returncode
seconds = time.perf_counter() - start
peak_kib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(json.dumps({"exit_code": code, "seconds": seconds, "peak_mib": peak_kib / 1024}))
