"""Prints what importing ONNX Runtime leaves in /tmp: an identifier of the machine when it is about to report."""

import pathlib

import onnxruntime  # noqa: F401

print(*pathlib.Path("/tmp").rglob("*"))
