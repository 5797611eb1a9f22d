"""Train again without a server; print `same` when the new files say and answer what the committed ones do."""

import json
import pathlib

import pandas as pd
import train
from predict import Model

train.main(["--bake", "/tmp/new", "configs/v1.yaml", "configs/v2.yaml"])
rows = pd.read_csv("data/raw/churn.csv").drop(columns="churn").head(300).to_dict("records")
for version in ("v1", "v2"):
    old, new = pathlib.Path("models", version), pathlib.Path("/tmp/new", version)
    cards = [json.loads((folder / "model.json").read_text()) for folder in (old, new)]
    assert cards[0] == cards[1], cards
    answers = [Model.load(folder).predict(rows) for folder in (old, new)]
    assert [len(answer) for answer in answers] == [300, 300]
    for one, other in zip(*answers, strict=True):
        assert abs(one["probability"] - other["probability"]) < 1e-6, (version, one, other)
print("same")
