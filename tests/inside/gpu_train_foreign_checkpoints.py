"""Put one foreign checkpoint after the other into outputs/ and train; print the outcomes as JSON.

outputs/checkpoint.pt is that of a finished run with nothing set.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import torch
from gpu_train_outcomes import outcome

CHECKPOINT = Path("outputs/checkpoint.pt")


class RunsCode:
    def __reduce__(self):
        return os.system, ("touch /app/outputs/pwned",)


def main() -> None:
    good = torch.load(CHECKPOINT, weights_only=True)
    other_model = {"layer.weight": torch.zeros(10, 64), "layer.bias": torch.zeros(10)}
    states = {
        "runs code": {"format": 1, "config": RunsCode()},
        "a list": [1, 2, 3],
        "no config": {key: value for key, value in good.items() if key != "config"},
        "no model": {key: value for key, value in good.items() if key != "model"},
        "another network": good | {"model": other_model},
        "edited": good | {"config": good["config"] | {"model.py's sha256": "0"}},
    }
    found = {}
    for name, state in states.items():
        torch.save(state, CHECKPOINT)
        found[name] = outcome({})
    for name, content in {"empty": b"", "half an archive": b"PK\x03\x04 and then nothing"}.items():
        CHECKPOINT.write_bytes(content)
        found[name] = outcome({})
    print(json.dumps(found))


if __name__ == "__main__":
    main()
