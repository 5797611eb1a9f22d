"""The MLflow server, asked through its REST API: https://mlflow.org/docs/latest/rest-api.html

MLflow's own client does it too, and brings 100 MB of packages and two seconds of import for what is a handful of requests.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import requests
from predict import MAX_BYTES, ModelError

CHUNK_BYTES = 65_536


class NotRegistered(Exception):
    """The server answers, and has no model of this name."""


@dataclass(frozen=True)
class TrackingServer:
    """All methods raise requests.RequestException when the server does not answer, or not as it should."""

    uri: str  # http://host:port
    timeout: float  # seconds without a word from it

    def aliases(self, name: str) -> tuple[int, dict[str, int]]:
        """Return when a model was registered first, and which version each alias stands for.

        Raises NotRegistered.
        """
        answer = self._get("mlflow/registered-models/get", name=name)
        if answer.status_code == 404 and "RESOURCE_DOES_NOT_EXIST" in answer.text:
            raise NotRegistered(f"the registry has no model {name!r} yet")
        answer.raise_for_status()
        model = answer.json()["registered_model"]
        aliases = {one["alias"]: int(one["version"]) for one in model.get("aliases", [])}
        return int(model["creation_timestamp"]), aliases

    def download(self, name: str, version: int, folder: Path) -> None:
        """Write the two files of a version into `folder`; raises ModelError when one is missing or too large."""
        place = self._place(name, version)
        listed = self._get("mlflow-artifacts/artifacts", path=place)
        listed.raise_for_status()
        sizes = {
            one["path"]: int(one.get("file_size", 0)) for one in listed.json().get("files", [])
        }
        for file, limit in MAX_BYTES.items():
            if file not in sizes:
                raise ModelError(f"it has no {file}")
            if sizes[file] > limit:
                raise ModelError(f"{file} has {sizes[file]} bytes, more than {limit}")
        for file, limit in MAX_BYTES.items():
            self._download(f"{place}/{file}", folder / file, limit)

    def _place(self, name: str, version: int) -> str:
        """Where the server keeps the files of a version, among all that it keeps."""
        path = "mlflow/model-versions/get-download-uri"
        answer = self._get(path, name=name, version=str(version))
        answer.raise_for_status()
        uri = urlsplit(answer.json()["artifact_uri"])
        if uri.scheme != "mlflow-artifacts":
            raise ModelError(f"its files are not on the MLflow server, but at {uri.scheme}:")
        return uri.path.strip("/")

    def _download(self, path: str, target: Path, limit: int) -> None:
        answer = self._get(f"mlflow-artifacts/artifacts/{path}")
        answer.raise_for_status()
        with target.open("wb") as file:
            for chunk in answer.iter_content(CHUNK_BYTES):
                file.write(chunk)
                if file.tell() > limit:  # whatever the list said
                    raise ModelError(f"{target.name} has more than {limit} bytes")

    def _get(self, path: str, /, **params: str) -> requests.Response:
        url = f"{self.uri}/api/2.0/{path}"
        return requests.get(url, params, timeout=self.timeout, stream=True)
