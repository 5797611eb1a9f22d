"""Compare the batches that are read by worker processes with those that lie in memory."""

import torch
from trainer.batches import Feeder, plan_epoch
from trainer.data import load_data

images = load_data("digits", 42, 64).train
order = plan_epoch(len(images), 64, 42, 1).order.unbind()
device = torch.device("cpu")
one = list(Feeder(images, device, 2, resident=True).batches(order))
two = list(Feeder(images, device, 2, resident=False).batches(order))
same = all(
    torch.equal(x, other_x) and torch.equal(y, other_y)
    for (x, y), (other_x, other_y) in zip(one, two, strict=True)
)
print(f"{len(one)} batches, {'the same' if same else 'different'}")
