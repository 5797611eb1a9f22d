"""What stands behind train.py: settings, data, devices, checkpoints, processes, outputs."""
