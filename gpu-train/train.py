"""Train a small convolutional network: on the accelerator there is, resumable, on one process or many.

Reads in this order: model, data and optimizer; the loop; the evaluation; what comes out; how it starts.
The network is in model.py, the settings are in trainer/settings.py, and trainer/ holds what stands behind each step.
"""

from __future__ import annotations

import gc
import os
import sys
import time
from pathlib import Path

import torch
from model import SmallConvNet
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel
from trainer import console
from trainer.batches import Feeder, feeder_for, plan_epoch
from trainer.checkpoint import resume, save_checkpoint
from trainer.compiling import compiled_if_possible
from trainer.data import channel_statistics, load_data
from trainer.device import choose_device, cpu_limit, make_reproducible, precision_of, where
from trainer.errors import TrainError, plain_errors
from trainer.files import check_writable, only_run
from trainer.launch import is_worker, launch
from trainer.processes import Process, Stop
from trainer.report import write_outputs
from trainer.settings import Settings, read_settings
from trainer.training import Progress, Training

OUTPUTS = Path("outputs")
CHECKPOINT = OUTPUTS / "checkpoint.pt"
LABEL_SMOOTHING = 0.05
WEIGHT_DECAY = 0.05
EVALUATION_BATCH = 1024


def prepare(settings: Settings, device: torch.device) -> Training:
    """Make everything that trains, as the checkpoint left it where there is one."""
    data = load_data(settings.data_path, settings.seed, settings.batch_size)
    make_reproducible(settings.seed)
    mean, std = channel_statistics(data.train)
    model = SmallConvNet(len(data.labels), mean, std)
    model.to(device, memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(
        model.parameters(), settings.lr, weight_decay=WEIGHT_DECAY, fused=True
    )
    steps = len(data.train) // settings.batch_size
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, settings.lr, total_steps=steps * settings.epochs + 1
    )
    training = Training(settings, data, device, model, optimizer, schedule, steps)
    resume(CHECKPOINT, training)
    return training


def train(training: Training, me: Process, stop: Stop) -> None:
    """Train until the last epoch is done, or until `stop`. A checkpoint holds all of it in both cases."""
    settings, data, device = training.settings, training.data, training.device
    network, optimizer, schedule = training.model, training.optimizer, training.schedule
    bfloat16 = precision_of(device) == torch.bfloat16
    autocast = torch.autocast(device.type, torch.bfloat16, enabled=bfloat16)

    if settings.compile:
        network = compiled_if_possible(training, settings.batch_size // me.world, autocast)
    if me.world > 1:
        network = DistributedDataParallel(network)
    feeder = feeder_for(data.train, device)
    test_feeder = feeder_for(data.test, device) if data.test else None
    bar = console.progress_bar(training, me)

    while not training.is_complete:
        at = training.progress
        plan = plan_epoch(len(data.train), settings.batch_size, settings.seed, at.epoch)
        shifts, mine = plan.shifts[at.step :], plan.order[at.step :, me.rank :: me.world]
        loss_sum = torch.tensor(at.loss_sum, device=device)
        started = time.perf_counter()
        network.train()
        for (right, down), (x, y) in zip(shifts, feeder.batches(mine.unbind()), strict=True):
            # What draws random numbers in the model (dropout, say) must draw the same after a resume.
            torch.manual_seed(hash((settings.seed, at.epoch, at.step, me.rank)))
            # The digits are not all in the middle: shifting them by a pixel makes more of the few there are.
            x = F.pad(x, (right, -right, down, -down)).contiguous(memory_format=torch.channels_last)
            with autocast:
                loss = F.cross_entropy(network(x), y, label_smoothing=LABEL_SMOOTHING)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            schedule.step()
            loss_sum += loss.detach()
            at.step += 1
            bar.update()
            if me.any(stop.wanted):
                break
        # The mean of all processes: one checkpoint holds it for all. Asking a GPU for it waits until it is done.
        at.loss_sum = me.total(loss_sum.item())[0] / me.world
        at.seconds += time.perf_counter() - started

        if at.step == training.steps:
            console.say_epoch(finish_epoch(training, me, test_feeder), bar, me)
        if me.is_first:
            save_checkpoint(CHECKPOINT, training)
        if me.any(stop.wanted):
            break
    bar.close()


def finish_epoch(training: Training, me: Process, test_feeder: Feeder | None) -> dict:
    """Turn to the next epoch; return what is told of this one."""
    at = training.progress
    loss = at.loss_sum / at.step
    if not torch.isfinite(torch.tensor(loss)):
        raise TrainError(f"the loss is {loss} in epoch {at.epoch}: give a smaller LR")
    test_loss, accuracy = evaluate(training, me, test_feeder) if test_feeder else (None, None)
    row = {
        "epoch": at.epoch,
        "loss": loss,
        "test_loss": test_loss,
        "accuracy": accuracy,
        "lr": training.schedule.get_last_lr()[0],
        "samples_per_second": at.step * training.settings.batch_size / at.seconds,
        "seconds": at.seconds,
    }
    record = row | {"where": where(training.device, me)}
    training.progress = Progress(at.epoch + 1, history=[*at.history, record])
    return row


def evaluate(training: Training, me: Process, feeder: Feeder) -> tuple[float, float]:
    """Return mean loss and accuracy on the test images, each process taking its share."""
    count = len(feeder.images)
    mine = torch.arange(count)[me.rank :: me.world]
    loss_sum, right = 0.0, 0.0
    training.model.eval()
    with torch.inference_mode():
        for x, y in feeder.batches(mine.split(EVALUATION_BATCH)):
            logits = training.model(x)
            loss_sum += F.cross_entropy(logits, y, reduction="sum").item()
            right += (logits.argmax(1) == y).sum().item()
    loss_sum, right = me.total(loss_sum, right)
    return loss_sum / count, right / count


def run(settings: Settings, me: Process) -> None:
    """Train from where the last run stopped, and write the outputs at the end."""
    stop = Stop()
    device = choose_device(settings.device, me.local_rank, me.local_world)
    torch.set_num_threads(max(1, cpu_limit() // me.local_world))
    me.join(device)
    training = prepare(settings, device)
    if not me.agree(training.steps_done):
        raise TrainError("the processes see different checkpoints: outputs/ must be one folder")
    console.say_what_trains(training, me)
    train(training, me, stop)
    if not training.is_complete:
        console.say_where_it_stopped(training)
    elif me.is_first:
        write_outputs(OUTPUTS, training)


def start(settings: Settings, me: Process) -> int:
    """Run in this process, or start the processes that run together; return the exit code."""
    if is_worker():
        run(settings, me)
        return 0
    check_writable(OUTPUTS)
    with only_run(OUTPUTS, shared=settings.nodes > 1):
        if settings.processes * settings.nodes == 1:
            run(settings, me)
            return 0
        # What is wrong is found and said here, once, and not by each of the processes.
        choose_device(settings.device, 0, settings.processes)
        prepare(settings, torch.device("cpu"))
        return launch(settings, __file__)


def main() -> int:
    me = Process.from_environment()
    console.set_up_logging(me)
    try:
        settings = read_settings(os.environ)
        with plain_errors(settings.batch_size, me):
            return start(settings, me)
    except TrainError as error:
        console.log.error(f"error: {error}")
        return 2
    finally:
        me.leave()


if __name__ == "__main__":
    exit_code = main()
    # Python would look through all that PyTorch has made for what to free: a second and a half for nothing.
    gc.freeze()
    sys.exit(exit_code)
