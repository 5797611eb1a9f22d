"""Print as JSON how many threads the number libraries use, and how many cpus Python sees."""

import json
import os

import joblib
import numpy  # noqa: F401  opens OpenBLAS' pool of threads
import sklearn.svm  # noqa: F401  opens OpenMP's
import threadpoolctl

pools = {pool["internal_api"]: pool["num_threads"] for pool in threadpoolctl.threadpool_info()}
cpus = [os.cpu_count(), os.process_cpu_count(), joblib.cpu_count()]
print(json.dumps({"pools": pools, "cpus": cpus}))
