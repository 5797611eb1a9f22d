"""The training loop most tutorials show: float32, eager, samples collected one by one in the main process.

    python train.py SAMPLES BATCH_SIZE EPOCHS

Same network, optimizer and kind of data as lab 4 (random 3x64x64 images, 10 classes). Prints one line of JSON.
"""

import json
import sys
import time

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

samples, batch_size, epochs = (int(word) for word in sys.argv[1:])
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
torch.manual_seed(42)

x = torch.rand(samples, 3, 64, 64)
y = torch.randint(0, 10, (samples,))
loader = DataLoader(TensorDataset(x, y), batch_size=batch_size, shuffle=True, drop_last=True)

model = nn.Sequential(
    nn.Conv2d(3, 32, 3, padding=1),
    nn.SiLU(),
    nn.Conv2d(32, 64, 3, stride=2, padding=1),
    nn.SiLU(),
    nn.Conv2d(64, 128, 3, stride=2, padding=1),
    nn.SiLU(),
    nn.AdaptiveAvgPool2d(1),
    nn.Flatten(),
    nn.Linear(128, 10),
).to(device)
optimizer = torch.optim.AdamW(model.parameters(), lr=0.008)
loss_function = nn.CrossEntropyLoss()

speeds = []
for _epoch in range(epochs):
    started = time.perf_counter()
    total = 0.0
    for images, labels in loader:
        images, labels = images.to(device), labels.to(device)
        optimizer.zero_grad()
        loss = loss_function(model(images), labels)
        loss.backward()
        optimizer.step()
        total += loss.item()
    speeds.append(len(loader) * batch_size / (time.perf_counter() - started))

peak = torch.cuda.max_memory_allocated() / 2**20 if device.type == "cuda" else None
name = torch.cuda.get_device_name() if device.type == "cuda" else "cpu"
print(json.dumps({"device_name": name, "samples_per_second": speeds, "peak_memory_mib": peak}))
