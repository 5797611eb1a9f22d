"""What stands behind `make learn` and `make check`: Python 3.9's standard library and the docker command, nothing else."""
