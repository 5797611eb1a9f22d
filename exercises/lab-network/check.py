"""Lab 4 with a larger network and dropout: killed and restarted, it ends with the same weights."""

import json

from learn.bench import Bench, Done

TITLE = "Another network that survives a kill"
MINUTES = 20
LAB = "gpu-train"
IMAGES = ("python:3.11-slim",)
SLOW = "Half a minute; some more, and downloads, where this machine has not built lab 4 yet."
HINTS = (
    "Only model.py has to change. How many parameters a convolution has follows from its input and output channels: where are these chosen?",
    "nn.Dropout is a layer like any other. It knows whether the network is being trained, because train() and eval() tell every layer.",
    "train.py seeds PyTorch's random numbers before each step: look for manual_seed. Which random numbers does your network draw, and who seeds those?",
)
MUST_SAY = {
    "start": "93,962 parameters",
    "wrong-no-dropout": "the same answer twice while it is trained",
    "wrong-always": "two answers to the same images in use",
    "wrong-own-numbers": "killed and started again",
}
how, yours = "gpu-train/README.md#how-it-works", "gpu-train/README.md#make-it-yours"
# Asks the network twice about the same images, in training and in use; leaves 250 images to train with.
probe = """
import json, numpy, torch, model
net = model.SmallConvNet(10, torch.zeros(1), torch.ones(1))
same = [torch.equal(*(net.train(training)(torch.ones(64, 1, 8, 8)) for _ in 'ab')) for training in (True, False)]
y = numpy.arange(250) % 5
x = numpy.random.default_rng().normal(size=(250, 1, 8, 8)) + y[:, None, None, None]
numpy.savez('/data/mine.npz', x=x, y=y)
print(json.dumps([sum(p.numel() for p in net.parameters()), *same]))
"""
# Trains, and ends like a killed process as soon as there is a checkpoint.
killed = """
import os, runpy, threading, time
def kill():
    while not os.path.exists('outputs/checkpoint.pt'): time.sleep(0.005)
    os._exit(137)
threading.Thread(target=kill, daemon=True).start()
runpy.run_path('train.py', run_name='__main__')
"""


def check(bench: Bench) -> None:
    image = bench.build("--target=cpu", why="docker names the failed step", read=yours)
    for name in ("data", "whole", "cut"):
        (bench.folder / name).mkdir(exist_ok=True)
        (bench.folder / name).chmod(0o777)  # the container's user may be another than the learner

    def run(outputs: str, *command: str) -> Done:
        env = ("--env=EPOCHS=4", "--env=BATCH_SIZE=25", "--env=DATA_PATH=/data/mine.npz", "--env=DEVICE=cpu")  # fmt: skip
        mounts = (f"--volume={bench.folder / 'data'}:/data", f"--volume={bench.folder / outputs}:/app/outputs")  # fmt: skip
        return bench.run(image, *command, options=("--cpus=1", *env, *mounts), timeout=240)

    done = run("whole", "python", "-c", probe)
    parameters, *same = json.loads(done.out) if done.code == 0 else (0, True, True)
    bench.expect(
        parameters >= 150_000, "The network is larger", did="counted the parameters of SmallConvNet(10, ...)",
        seen=f"{parameters:,} parameters" if parameters else done.seen.splitlines()[-1], expected="150,000 or more",
        why="only layers that the network knows of count; it does not look into a plain Python list", read=yours,
    )  # fmt: skip
    bench.expect(
        same == [False, True], "It drops numbers in training, and none in use", did="asked it twice about the same images, after train() and after eval()",
        seen="the same answer twice while it is trained" if same[0] else "two answers to the same images in use", expected="in training two answers, in use one",
        why="dropout keeps a network from relying on a few numbers; in use all of them are wanted", read="gpu-train/README.md#exercises",
    )  # fmt: skip
    done = run("whole")
    bench.expect(
        done.code == 0, "It trains", did="EPOCHS=4 docker run ... your-image, with 250 small images", seen=done.seen.splitlines()[-1],
        expected="exit code 0", why="at the end the model is exported, and has to answer as the network does", read=how,
    )  # fmt: skip
    run("cut", "python", "-c", killed)
    done = run("cut")
    results = [bench.folder / name for name in ("whole", "cut")] if done.code == 0 else []
    losses = [json.loads((folder / "metrics.json").read_text())["loss"] for folder in results]
    bench.expect(
        len({(folder / "model.safetensors").read_bytes() for folder in results}) == 1, "Killed and started again, it ends with the same weights",
        did="killed the same training after its first epoch, and started it again",
        seen="loss {} in one go, {} killed and started again".format(*losses) if losses else done.seen.splitlines()[-1],
        expected="the same loss, and the same model.safetensors",
        why="after a restart all is new but what the checkpoint holds and what is drawn from PyTorch's seeded random numbers", read=how,
    )  # fmt: skip
