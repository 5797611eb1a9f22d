"""Print how much memory the statistics of 400 MB of images take, in MiB, and how far they are from NumPy's."""

import json
import resource

import torch
from trainer.data import Images, channel_statistics


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


generator = torch.Generator().manual_seed(0)
x = torch.randint(0, 256, (2_000, 256, 256, 3), dtype=torch.uint8, generator=generator)
before = peak_mib()
mean, std = channel_statistics(Images(x, torch.zeros(len(x), dtype=torch.int64)))
grew = peak_mib() - before
channels = x.numpy()[:200].reshape(-1, 3)
part_mean, part_std = channel_statistics(Images(x[:200], torch.zeros(200, dtype=torch.int64)))
error = max(
    abs(part_mean.numpy() - channels.mean(0)).max(),
    abs(part_std.numpy() - channels.std(0, ddof=1)).max(),
)
print(json.dumps({"grew_mib": grew, "largest_error": float(error)}))
