"""Which models are served: those the registry's aliases point to, or the baked ones while there are none.

A thread asks the registry every few seconds where the aliases point, loads what is new and swaps one reference.
A request only ever reads that reference, so it never waits for the registry, and never sees half a change.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import candidate
import requests
from predict import Model, ModelError
from settings import Settings, without_password
from tracking_server import NotRegistered, TrackingServer

NAME = "churn"

# What a caller asks for, and the alias it stands for. MLflow reserves v1, v2, ... for version numbers.
ALIASES = {"champion": "champion", "v1": "current-v1", "v2": "current-v2"}

MODELS = Path(__file__).parent.parent / "models"

# So many polls in a row without an answer make a registry that is away. One alone is a hiccup.
AWAY_AFTER = 2

log = logging.getLogger("registry")


class NotDownloaded(ModelError):
    """The server answers, but not with the files of a version."""


def load_baked(folder: Path) -> dict[str, Model]:
    """Load every model folder that the image carries; the champion is the best by ROC AUC.

    Raises ModelError when one cannot be served, or there is none.
    """
    models = [Model.load(path.parent) for path in sorted(folder.glob("*/model.json"))]
    if not models:
        raise ModelError(f"{folder} holds no model folder")
    best = max(models, key=lambda model: model.metrics["roc_auc"])
    return {"champion": best, **{model.version: model for model in models}}


@contextmanager
def download_folder() -> Iterator[Path]:
    """An empty folder, always the same: what a killed download left is gone, and never more than one is there."""
    folder = Path(tempfile.gettempdir(), "candidate")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


class Registry:
    """The models by the name a caller asks for, kept up to date once `start` was called."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._server = TrackingServer(settings.tracking_uri, settings.request_timeout)
        self._baked = load_baked(MODELS)
        # What the registry's last answer led to. It outlives an outage.
        self._followed = self._baked
        self._loaded: dict[tuple[int, int], Model | ModelError] = {}
        self.models: dict[str, Model] = self._baked
        self.problem: str | None = (
            None if settings.tracking_uri else "no MLFLOW_TRACKING_URI is set"
        )
        self.asked_once = threading.Event()

    def start(self) -> None:
        """Follow the registry in the background; without one the baked models are all there is."""
        if self._settings.tracking_uri:
            threading.Thread(target=self._follow, name="registry", daemon=True).start()
        else:
            self.asked_once.set()

    def _follow(self) -> None:
        pause = threading.Event()
        missed = 0
        while True:
            try:
                self._followed, problem = self._read()
                self._set(self._followed, problem)
                missed = 0
            except Exception as error:  # noqa: BLE001 - the thread must outlive whatever the network brings
                # Nobody can tell whether what was loaded is still what should be served; the image's own can be
                # relied on. What was loaded is kept, so coming back takes no download.
                missed += 1
                models = self._baked if missed >= AWAY_AFTER else self.models
                self._set(models, str(error))
            self.asked_once.set()
            pause.wait(self._settings.poll_seconds)

    def _set(self, models: dict[str, Model], problem: str | None) -> None:
        if problem:
            problem = without_password(" ".join(problem.split()))[:400]
        changed = {name: model.describe() for name, model in models.items()}
        if changed != {name: model.describe() for name, model in self.models.items()}:
            log.info("models changed", extra={"fields": {"models": changed}})
        if problem and not self.problem:
            log.warning("trouble with the registry", extra={"fields": {"reason": problem}})
        self.models, self.problem = models, problem

    def _read(self) -> tuple[dict[str, Model], str | None]:
        """Ask where the aliases point; return the models there and what is wrong with any of them.

        Without an alias it is the baked model.
        """
        try:
            created, aliases = self._server.aliases(NAME)
        except NotRegistered as error:
            return self._baked, str(error)
        # A registry that was wiped counts its versions from 1 again.
        wanted = {
            name: (created, aliases[alias]) for name, alias in ALIASES.items() if alias in aliases
        }
        for key in wanted.values():
            if key not in self._loaded:
                self._loaded[key] = self._fetch(key[1])
        models, problem = dict(self._baked), None
        for name, key in wanted.items():
            model = self._loaded[key]
            if isinstance(model, Model):
                models[name] = model
            else:  # a version that cannot be served changes nothing
                problem = f"version {key[1]}: {model}"
                if name in self._followed:
                    models[name] = self._followed[name]
        # What no alias stands for is forgotten, and what did not come is asked for again.
        self._loaded = {
            key: model
            for key, model in self._loaded.items()
            if key in wanted.values() and not isinstance(model, NotDownloaded)
        }
        return models, problem

    def _fetch(self, version: int) -> Model | ModelError:
        """Download, try and load one version, or return what is wrong with it."""
        try:
            with download_folder() as folder:
                self._server.download(NAME, version, folder)
                candidate.try_out(folder)
                return Model.load(folder, source="registry", registry_version=version)
        except requests.RequestException as error:  # the registry itself did just answer
            return NotDownloaded(f"its files do not come: {error}")
        except ModelError as error:
            fields = {"registry_version": version, "reason": str(error)}
            log.error("a registered model cannot be served", extra={"fields": fields})
            return error
