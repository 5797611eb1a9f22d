"""Trains on the CPU, and asks only why."""

from gpu import NoGpu, find_gpu


def main() -> None:
    try:
        find_gpu()
        print("device: cpu", flush=True)
    except NoGpu as reason:
        print(f"device: cpu, because: {reason}", flush=True)
    weight = 0.0
    for _ in range(100):
        weight -= 0.1 * 2 * (weight - 3)
    print(f"trained: weight {weight:.3f}")


main()
