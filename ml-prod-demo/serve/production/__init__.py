"""What production adds to the api: a key, every prediction recorded in Redis, the history read from Postgres."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from model import ModelStore
from service.settings import SettingError

from production.settings import read_settings


class Production:
    """What app.py plugs in: a store that records, more routes, and `behind_key` for its own ones."""

    def __init__(self, env: Mapping[str, str]) -> None:
        """Raises SettingError. What is not asked for is not imported: a client costs a third of the start."""
        settings = read_settings(env)
        self.behind_key: list[Any] = []
        self._routes = APIRouter()
        self._recording = self._history = None
        if settings.api_key:
            from production.key import key_check

            self.behind_key = [key_check(settings.api_key)]
        if settings.redis_url:
            from production.recording import Recording

            try:
                self._recording = Recording(settings.redis_url, settings.redis_password)
            except ValueError:
                # Why is not repeated, here and below: it may quote the password.
                accepted = "one like redis://cache:6379/0 is accepted"
                raise SettingError(f"REDIS_URL is no address of a Redis; {accepted}") from None
        if settings.database_url:
            from production.history import History, history_router

            try:
                self._history = History(settings.database_url, settings.database_password)
            except ValueError:
                accepted = "one like postgresql://app@db/predictions is accepted"
                raise SettingError(
                    f"DATABASE_URL is no address of a Postgres; {accepted}"
                ) from None
            self._routes = history_router(self._history)

    def make_store(self, path: Path) -> ModelStore:
        """Return a ModelStore that records what it is asked, and starts and stops what it needs for that."""
        if not self._recording and not self._history:
            return ModelStore(path)
        from production.store import RecordingStore

        return RecordingStore(path, self._recording, self._history)

    def plug_into(self, app: FastAPI) -> None:
        if self._recording:
            from production.request_id import NameRequest

            app.add_middleware(NameRequest)
        app.include_router(self._routes, dependencies=self.behind_key)
        app.add_exception_handler(RequestValidationError, show_wrong_query)


async def show_wrong_query(request: Request, error: RequestValidationError) -> JSONResponse:
    """In the form that every refusal has here: where (without "query"), and why."""
    first = error.errors()[0]
    return JSONResponse({"field": str(first["loc"][-1]), "reason": first["msg"]}, 422)
