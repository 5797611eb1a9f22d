"""Trains on the GPU if there is one, else on the CPU. (What it computes is next to nothing.)"""

from gpu import NoGpu, find_gpu


def main() -> None:
    try:
        device = find_gpu()
    except NoGpu:
        device = "cpu"
    print(f"device: {device}", flush=True)
    weight = 0.0
    for _ in range(100):
        weight -= 0.1 * 2 * (weight - 3)
    print(f"trained: weight {weight:.3f}")


main()
