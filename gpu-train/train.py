"""Train a small convolutional network: on the accelerator there is, resumable, on one process or many.

Notices go to standard error; standard output carries one line of JSON an epoch (a progress bar on a terminal).
"""

from __future__ import annotations

import gc
import json
import os
import signal
import statistics
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from shutil import get_terminal_size

import checkpoint
import device as devices
import torch
import torch.distributed as dist
from data import Data, Feeder, first_line, fits, load, plan
from launch import is_worker, launch
from model import SmallConvNet, channel_statistics
from settings import Settings, TrainError, read_settings
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel

OUTPUTS = Path("outputs")
CHECKPOINT = OUTPUTS / "checkpoint.pt"
EVALUATION_BATCH = 1024
LABEL_SMOOTHING = 0.05
WEIGHT_DECAY = 0.05


class Stop:
    """Set by SIGTERM or Ctrl-C: the running step is finished, saved, and that is the end."""

    def __init__(self) -> None:
        self.wanted = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.ask)

    def ask(self, *_signal: object) -> None:
        self.wanted = True


@dataclass(frozen=True)
class Processes:
    """This process among those that train together; (0, 1, 0, 1) when it is alone."""

    rank: int
    world: int
    local_rank: int
    local_world: int

    @classmethod
    def from_environment(cls) -> Processes:
        """Read what torchrun sets."""
        names = {"RANK": 0, "WORLD_SIZE": 1, "LOCAL_RANK": 0, "LOCAL_WORLD_SIZE": 1}
        return cls(*(int(os.environ.get(name, default)) for name, default in names.items()))

    def say(self, text: str) -> None:
        if self.rank == 0:
            print(text, file=sys.stderr, flush=True)

    def total(self, values: list[float], op: dist.ReduceOp = dist.ReduceOp.SUM) -> list[float]:
        """Combine numbers of all processes. They travel as a CPU tensor: no GPU has to wait for them."""
        if self.world == 1:
            return values
        tensor = torch.tensor(values, dtype=torch.float64)
        dist.all_reduce(tensor, op)
        return tensor.tolist()


def join(device: torch.device) -> None:
    """Meet the other processes: gradients by NCCL between GPUs, everything else by gloo."""
    if device.type == "cuda":
        torch.accelerator.set_device_index(device.index)
    dist.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo")


@dataclass
class Progress:
    """Where a run stands: `step` steps of epoch `epoch` (from 1) are done, with their losses summed up."""

    epoch: int = 1
    step: int = 0
    loss_sum: float = 0.0
    seconds: float = 0.0
    history: list[dict] = field(default_factory=list)


class Trainer:
    """Model, optimizer, schedule and data of one run on one device."""

    def __init__(self, settings: Settings, data: Data, me: Processes) -> None:
        self.settings, self.data, self.me = settings, data, me
        self.device = devices.choose(settings.device, me.local_rank, me.local_world)
        self.dtype = devices.precision(self.device)
        if me.world > 1:
            join(self.device)
        devices.make_reproducible(settings.seed)
        mean, std = channel_statistics(data.train.x)
        self.model = SmallConvNet(len(data.labels), mean, std)
        self.model.to(self.device, memory_format=torch.channels_last)
        self.steps = len(data.train) // settings.batch_size
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), settings.lr, weight_decay=WEIGHT_DECAY, fused=True
        )
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer, settings.lr, total_steps=self.steps * settings.epochs + 1
        )
        self.progress = Progress()

    def config(self) -> dict:
        """What must be the same for a run to go on. Device and number of processes may change."""
        chosen = self.settings
        return {
            "EPOCHS": chosen.epochs,
            "BATCH_SIZE": chosen.batch_size,
            "LR": chosen.lr,
            "SEED": chosen.seed,
            "DATA_PATH": chosen.data_path,
            "the data's sha256": self.data.sha256,
        }

    def save(self) -> None:
        if self.me.rank:
            return
        state = {
            "config": self.config(),
            "progress": vars(self.progress),
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
        }
        checkpoint.save(CHECKPOINT, state)

    def resume(self) -> None:
        state = checkpoint.load(CHECKPOINT, self.config())
        if state:
            self.model.load_state_dict(state["model"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.schedule.load_state_dict(state["schedule"])
            self.progress = Progress(**state["progress"])
        done = (self.progress.epoch - 1) * self.steps + self.progress.step
        lowest, negative_highest = self.me.total([done, -done], dist.ReduceOp.MIN)
        if lowest != -negative_highest:
            raise TrainError("the processes see different checkpoints: outputs/ must be one folder")
        if state and self.progress.epoch > self.settings.epochs:
            self.me.say(f"already trained; move {CHECKPOINT} away to train anew")
        elif state:
            self.me.say(f"resuming after step {done} of {self.steps * self.settings.epochs}")

    def feeder(self, images: object) -> Feeder:
        return Feeder(images, self.device, torch.get_num_threads(), fits(images, self.device))

    def network(self) -> torch.nn.Module:
        """Return what the steps call: the model, compiled where asked for, and shared among processes."""
        network = self.compiled() if self.settings.compile else self.model
        return DistributedDataParallel(network) if self.me.world > 1 else network

    def compiled(self) -> torch.nn.Module:
        """Compiling happens at the first call: make it here, where falling back is still possible."""
        shape = (self.settings.batch_size // self.me.world, *self.data.train.x.shape[1:])
        sample = torch.zeros(shape, dtype=self.data.train.x.dtype, device=self.device)
        try:
            network = torch.compile(self.model)
            self.loss(network, sample.permute(0, 3, 1, 2), torch.zeros_like(sample[:, 0, 0, 0]))
            return network
        except (RuntimeError, ImportError, OSError) as error:  # what a missing compiler raises
            self.me.say(f"COMPILE=1 does not work here, training without it: {first_line(error)}")
            return self.model
        finally:
            self.optimizer.zero_grad()

    def loss(self, network: torch.nn.Module, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Run forward and backward; return the detached mean loss, still on the device."""
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.dtype == torch.bfloat16):
            loss = F.cross_entropy(network(x), y.long(), label_smoothing=LABEL_SMOOTHING)
        loss.backward()
        return loss.detach()

    def train(self, stop: Stop) -> bool:
        """Train to the end; return False when stopped before it, with everything saved."""
        feeder, network = self.feeder(self.data.train), self.network()
        test = self.feeder(self.data.test) if self.data.test else None
        with self.bar() as bar:
            while self.progress.epoch <= self.settings.epochs:
                if not self.train_epoch(feeder, network, stop, bar):
                    self.save()
                    return False
                self.finish_epoch(test, bar)
        return True

    def bar(self):
        from tqdm import tqdm

        total = self.steps * self.settings.epochs
        done = (self.progress.epoch - 1) * self.steps + self.progress.step
        hidden = self.me.rank > 0 or not sys.stderr.isatty()
        size = (
            get_terminal_size()
        )  # with a fallback for a terminal that tells none, as tqdm has not
        return tqdm(
            total=total,
            initial=done,
            unit="step",
            disable=hidden,
            ncols=size.columns,
            nrows=size.lines,
            bar_format="{percentage:3.0f}% {bar} {n_fmt}/{total_fmt}, {remaining} left{postfix}",
        )

    def train_epoch(self, feeder: Feeder, network: torch.nn.Module, stop: Stop, bar) -> bool:
        at, chosen = self.progress, self.settings
        todo = plan(len(self.data.train), chosen.batch_size, chosen.seed, at.epoch)
        mine = todo.order[at.step :, self.me.rank :: self.me.world]
        loss_sum = torch.tensor(at.loss_sum, device=self.device)
        started = time.perf_counter()
        network.train()
        stopped = False
        for (right, down), (x, y) in zip(
            todo.shifts[at.step :], feeder.batches(mine.unbind()), strict=True
        ):
            # What draws random numbers in the model (dropout, say) must draw the same after a resume.
            torch.manual_seed(hash((chosen.seed, at.epoch, at.step, self.me.rank)))
            # The digits are not all in the middle: shifting them by a pixel makes more of the few there are.
            shifted = F.pad(x, (right, -right, down, -down))
            loss_sum += self.loss(network, shifted.contiguous(memory_format=torch.channels_last), y)
            self.optimizer.step()
            self.optimizer.zero_grad()
            self.schedule.step()
            at.step += 1
            bar.update()
            (asked,) = self.me.total([float(stop.wanted)], dist.ReduceOp.MAX)
            if asked and (at.step < self.steps or at.epoch < chosen.epochs):
                stopped = True
                break
        at.loss_sum = loss_sum.item()
        at.seconds += time.perf_counter() - started
        return not stopped

    def finish_epoch(self, test: Feeder | None, bar) -> None:
        at = self.progress
        (loss_sum,) = self.me.total([at.loss_sum])
        loss = loss_sum / at.step / self.me.world
        if not torch.isfinite(torch.tensor(loss)):
            raise TrainError(f"the loss is {loss} in epoch {at.epoch}: give a smaller LR")
        test_loss, accuracy = self.evaluate(test) if test else (None, None)
        row = {
            "epoch": at.epoch,
            "loss": loss,
            "test_loss": test_loss,
            "accuracy": accuracy,
            "lr": self.schedule.get_last_lr()[0],
            "samples_per_second": self.steps * self.settings.batch_size / at.seconds,
            "seconds": at.seconds,
        }
        if self.me.rank == 0 and bar.disable:
            print(json.dumps({key: rounded(value) for key, value in row.items()}), flush=True)
        self.progress = Progress(at.epoch + 1, history=[*at.history, row | {"where": self.where()}])
        self.save()
        bar.set_postfix(
            epoch=row["epoch"], loss=f"{loss:.4f}", accuracy=accuracy and f"{accuracy:.4f}"
        )

    def evaluate(self, test: Feeder) -> tuple[float, float]:
        """Return mean loss and accuracy on the test images, each process taking its share."""
        mine = torch.arange(len(self.data.test))[self.me.rank :: self.me.world]
        loss_sum, right = 0.0, 0
        self.model.eval()
        with torch.inference_mode():
            for x, y in test.batches(mine.split(EVALUATION_BATCH)):
                logits = self.model(x)
                loss_sum += F.cross_entropy(logits, y, reduction="sum").item()
                right += (logits.argmax(1) == y).sum().item()
        loss_sum, right = self.me.total([loss_sum, right])
        return loss_sum / len(self.data.test), right / len(self.data.test)

    def where(self) -> dict:
        """Part of each epoch's record: a run may go on on another device."""
        return {
            "device": self.device.type,
            "device_name": devices.name(self.device),
            "precision": str(self.dtype).removeprefix("torch."),
            "processes": self.me.world,
            "threads": torch.get_num_threads(),
            "peak_memory_mib": devices.peak_memory_mib(self.device),
        }

    def metrics(self) -> dict:
        history, last = self.progress.history, self.progress.history[-1]
        speeds = [row["samples_per_second"] for row in history]
        return {
            "data": self.data.name,
            **last["where"],
            "accuracy": last["accuracy"],
            "test_loss": last["test_loss"],
            "loss": last["loss"],
            "samples_per_second": statistics.median(speeds),
            "seconds": sum(row["seconds"] for row in history),
            "epochs": self.settings.epochs,
            "batch_size": self.settings.batch_size,
            "lr": self.settings.lr,
            "seed": self.settings.seed,
            "training_samples": len(self.data.train),
            "test_samples": len(self.data.test) if self.data.test else 0,
            "parameters": sum(p.numel() for p in self.model.parameters()),
            "labels": self.data.labels,
        }


def rounded(value: float | None) -> float | None:
    return float(f"{value:.5g}") if isinstance(value, float) else value


def describe(trainer: Trainer) -> str:
    at = trainer.where()
    processes = "1 process" if at["processes"] == 1 else f"{at['processes']} processes"
    return (
        f"device: {at['device']} ({at['device_name']}), {at['precision']}, {processes} with "
        f"{at['threads']} thread(s) each; {len(trainer.data.train)} training samples"
    )


def check_outputs() -> None:
    if not os.access(OUTPUTS, os.W_OK | os.X_OK):
        raise TrainError(
            f"user id {os.getuid()} may not write to {OUTPUTS.absolute()}: run the container as the "
            "folder's owner (HOST_UID and HOST_GID), or change the owner"
        )


def run(settings: Settings, me: Processes, stop: Stop) -> int:
    check_outputs()
    torch.set_num_threads(max(1, devices.cpu_limit() // me.local_world))
    data = load(settings.data_path, settings.seed, settings.batch_size)
    trainer = Trainer(settings, data, me)
    me.say(describe(trainer))
    if data.test is None:
        me.say("synthetic images measure speed: there is nothing to learn in them, so no accuracy")
    trainer.resume()
    if not trainer.train(stop):
        at = trainer.progress
        me.say(
            f"stopped after step {at.step} of epoch {at.epoch}, all of it saved: "
            "resume with the same command"
        )
        return 0
    if me.rank == 0:
        report(trainer)
    return 0


def report(trainer: Trainer) -> None:
    import report as reports

    metrics = trainer.metrics()
    sample = trainer.data.test or trainer.data.train
    images, _labels = sample.take(torch.arange(min(256, len(sample))))
    reports.write_all(
        OUTPUTS,
        trainer.model,
        images,
        metrics,
        trainer.progress.history,
        torch.get_num_threads(),
        trainer.me.say,
    )
    accuracy = metrics["accuracy"]
    score = "" if accuracy is None else f"test accuracy {accuracy:.4f}, "
    trainer.me.say(
        f"{score}{metrics['samples_per_second']:,.0f} samples/s, {metrics['seconds']:.1f} s: "
        f"see {OUTPUTS}/metrics.json and {OUTPUTS}/loss.png"
    )


def check(settings: Settings) -> None:
    """Find in one process what would otherwise be said by each of them."""
    check_outputs()
    devices.choose(settings.device, 0, settings.processes)
    load(settings.data_path, settings.seed, settings.batch_size)


def out_of_memory(error: BaseException) -> bool:
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)


def main() -> int:
    me = Processes.from_environment()
    try:
        settings = read_settings(os.environ)
        if not is_worker() and settings.processes * settings.nodes > 1:
            check(settings)
            return launch(settings, __file__)
        return run(settings, me, Stop())
    except TrainError as error:
        me.say(f"error: {error}")
        return 2
    except RuntimeError as error:
        if out_of_memory(error):
            size = settings.batch_size
            me.say(
                f"error: out of memory with BATCH_SIZE={size}: give BATCH_SIZE={max(1, size // 2)}"
            )
            return 2
        if me.world > 1 and "gloo" in str(error).lower():
            print(f"process {me.rank} lost the others", file=sys.stderr)
            return 1
        raise
    finally:
        if dist.is_initialized():
            # What still refers to the group keeps its threads, and Python ends badly under a thread of theirs.
            gc.collect()
            dist.destroy_process_group()


if __name__ == "__main__":
    exit_code = main()
    # Python would look through all that PyTorch has made for what to free: a second and a half for nothing.
    gc.freeze()
    sys.exit(exit_code)
