"""What stands behind train.py: the table, the files of a model, the tracking server."""
