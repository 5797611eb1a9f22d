"""Looks for a GPU. Where Docker hands one over, NVIDIA's runtime puts `nvidia-smi` into the container."""

import subprocess


class NoGpu(Exception):
    """There is none that can be used; the text says why."""


def find_gpu() -> str:
    """Return the name of the first GPU. Raises NoGpu."""
    question = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    try:
        asked = subprocess.run(question, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise NoGpu("Docker handed over no GPU") from None
    if asked.returncode or not asked.stdout.strip():
        raise NoGpu((asked.stdout + asked.stderr).strip() or "nvidia-smi finds no GPU")
    return asked.stdout.splitlines()[0]
