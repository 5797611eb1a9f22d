"""A GPU where there is one, the CPU and the reason elsewhere."""

import json
import secrets

from learn.bench import Bench, Done

TITLE = "A training that takes the GPU where there is one"
MINUTES = 12
HINTS = (
    "What compose.yaml demands, Docker has to hand over, or it starts nothing. A second file can add to the first: gpu-train/compose.gpu.yaml does.",
    "find_gpu ends with an exception that says why there is none. Catch that one, and print it.",
    "compose.gpu.yaml holds nothing but services, train, and the demand that was in compose.yaml; what follows count is one word there.",
)
MUST_SAY = {
    "start": "train gets all GPUs",
    "wrong-silent": "the reason is not there",
    "wrong-always-cpu": "With a GPU it takes the GPU",
    "wrong-all-gpus": "train gets all GPUs",
    "wrong-other-service": "train gets no GPU",
    "wrong-one-reason": "the reason is not there",
}
not_seen, lab = "docs/troubleshooting.md#the-gpu-is-not-seen", "gpu-train/README.md#with-a-gpu"


def check(bench: Bench) -> None:
    got = reserved(bench, "compose.yaml")
    bench.expect(
        got == "train gets no GPU", "compose.yaml demands no GPU",
        did="docker compose config", seen=got, expected="train gets no GPU",
        why="what is demanded has to be there: Docker hands over all of it, or starts nothing", read=not_seen,
    )  # fmt: skip
    # In the place of NVIDIA's own: a driver that is broken, and one that works.
    broken, works = (
        f"test {secrets.token_hex(3)}: {word}" for word in ("the driver is too old", "GPU")
    )
    for step, reason, says in (
        ("Without a GPU it trains on the CPU, and says why", "Docker handed over no GPU", ""),
        ("With a GPU that cannot be used, it does so as well", broken, f"echo '{broken}'; exit 9"),
    ):
        done = train(bench, says)
        lines = [line for line in done.out.splitlines() if "device: cpu" in line]
        silent = bool(lines) and reason not in lines[0]
        bench.expect(
            done.code == 0 and "trained" in done.out and lines and not silent, step,
            did="docker compose run --rm train" + (", with a driver that fails" if says else ""),
            seen=(done.out.strip() or done.seen) + ("\nthe reason is not there" if silent else ""), expected=f"device: cpu, and: {reason}",
            why="a night later, a slow training looks like a fast one that is not done yet", read=not_seen,
        )  # fmt: skip
    done = train(bench, f"echo '{works}'")
    bench.expect(
        f"device: {works}" in done.out and "trained" in done.out, "With a GPU it takes the GPU",
        did="docker compose run --rm train, with a GPU", seen=done.out.strip() or done.seen, expected=f"device: {works}",
        why="the CPU is for where there is nothing better", read=lab,
    )  # fmt: skip
    got = reserved(bench, "compose.yaml", "compose.gpu.yaml")
    bench.expect(
        got == "train gets 1 GPU", "compose.gpu.yaml reserves one for train",
        did="docker compose -f compose.yaml -f compose.gpu.yaml config", seen=got, expected="train gets 1 GPU",
        why="the second file is laid over the first: services of the same name become one", read=lab,
    )  # fmt: skip


def train(bench: Bench, nvidia_smi: str) -> Done:
    """Run the training, with a shell script as its nvidia-smi, unless that is empty."""
    script = bench.folder / "nvidia-smi"
    script.write_bytes(f"#!/bin/sh\n{nvidia_smi}\n".encode())
    script.chmod(0o755)
    there = ["--volume", f"{script}:/usr/local/bin/nvidia-smi:ro"] if nvidia_smi else []
    return bench.compose("run", "--rm", *there, "train")


def reserved(bench: Bench, *files: str) -> str:
    """What `train` gets, in words."""
    options = [word for file in files for word in ("--file", file)]
    done = bench.compose(*options, "config", "--format", "json")
    if done.code:
        return done.seen
    train = json.loads(done.out)["services"].get("train", {})
    devices = (
        train.get("deploy", {}).get("resources", {}).get("reservations", {}).get("devices", [])
    )
    gpus = [device for device in devices if "gpu" in device["capabilities"]] + train.get("gpus", [])
    counts = [len(gpu.get("device_ids") or []) or gpu.get("count", "all") for gpu in gpus]
    if any(str(count) in ("all", "-1") for count in counts):
        return "train gets all GPUs"
    return f"train gets {sum(map(int, counts)) or 'no'} GPU"
