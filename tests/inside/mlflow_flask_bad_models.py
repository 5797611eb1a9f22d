"""Load models whose card does not fit; print, as JSON, what is said of each."""

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from predict import Model, ModelError

GOOD = json.loads(Path("models/v2/model.json").read_text())


def said_of(**changed: Any) -> str:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy("models/v2/model.skops", folder)
        (Path(folder) / "model.json").write_text(json.dumps({**GOOD, **changed}))
        try:
            Model.load(Path(folder))
        except ModelError as error:
            return str(error)
    return "loaded"


categorical = GOOD["categorical"]
said = {
    "unchanged": said_of(),
    "a metric is NaN": said_of(metrics={"roc_auc": float("nan")}),
    "a category that the pipeline does not know": said_of(
        categorical={**categorical, "contract": [*categorical["contract"], "weekly"]}
    ),
    "a label too many": said_of(labels=["no", "yes", "maybe"]),
    "a number that is too large": said_of(numeric={**GOOD["numeric"], "age": [18, 1e300]}),
}
print(json.dumps(said))
