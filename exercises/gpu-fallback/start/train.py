"""Trains on the GPU. (What it computes is next to nothing.)"""

from gpu import find_gpu


def main() -> None:
    print(f"device: {find_gpu()}", flush=True)
    weight = 0.0
    for _ in range(100):
        weight -= 0.1 * 2 * (weight - 3)
    print(f"trained: weight {weight:.3f}")


main()
