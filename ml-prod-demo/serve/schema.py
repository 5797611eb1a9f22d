"""What goes in and out: the bodies, what is accepted in them, and what a refusal looks like."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Self

from fastapi import HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

MAX_BODY_BYTES = 4 * 1024 * 1024  # 10,000 rows, generously spaced, are half of this
MAX_VALUES = (
    50_000  # 10,000 rows have 40,000; parsed, the smallest takes a hundred times its two bytes
)
BODY_SECONDS = 15.0
# Beyond LARGE_BODY_BYTES, so many bodies are read at once; the others wait, and their callers with them.
LARGE_BODY_BYTES = 64 * 1024
large_bodies = asyncio.Semaphore(16)

Centimetres = Annotated[float, Field(ge=0, le=30, allow_inf_nan=False)]


class Body(BaseModel):
    # A number in quotes is no number, and a field that is not known is a mistake.
    model_config = ConfigDict(strict=True, extra="forbid")

    @classmethod
    def from_json(cls, body: bytes | bytearray) -> Self:
        """Return what the JSON in `body` is. Raises HTTPException (422) with the first thing that is wrong."""
        if body.count(b",") > MAX_VALUES:
            raise refuse(422, "body", f"up to {MAX_VALUES} values are accepted")
        try:
            return cls.model_validate_json(body)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        # The place ("rows", 1, "petal_width") is shown as rows[1].petal_width.
        parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"]]
        raise refuse(422, "".join(parts).removeprefix(".") or "body", first["msg"])


class Iris(Body):
    """One flower, in centimetres."""

    sepal_length: Centimetres
    sepal_width: Centimetres
    petal_length: Centimetres
    petal_width: Centimetres

    def features(self) -> tuple[float, ...]:
        """Return the lengths in the order in which the model was trained on them."""
        return self.sepal_length, self.sepal_width, self.petal_length, self.petal_width


class Batch(Body):
    rows: Annotated[list[Iris], Field(min_length=1, max_length=10_000, fail_fast=True)]


class ClassOfRow(BaseModel):
    predicted_class_index: int
    predicted_class_name: str


class Prediction(ClassOfRow):
    probabilities: dict[str, float]
    input: Iris


class BatchPrediction(BaseModel):
    """One entry a row, in the order of the rows."""

    predictions: list[ClassOfRow]


class Problem(BaseModel):
    """Why a request was refused: the field (or "body", "path", ...) and what is accepted there."""

    field: str
    reason: str


def refuse(code: int, field: str, reason: str, **headers: str) -> HTTPException:
    return HTTPException(code, {"field": field, "reason": reason}, headers)


async def read_body(request: Request) -> bytearray:
    """Return the body. Raises HTTPException as soon as it is too long (413), announced or not, or too slow (408)."""
    body = bytearray()
    chunks = request.stream()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in chunks:
                body += chunk
                if len(body) > LARGE_BODY_BYTES:
                    async with large_bodies:
                        await read_rest(chunks, body)
    except TimeoutError:
        reason = f"it is accepted when it is here within {BODY_SECONDS:.0f} s"
        raise refuse(408, "body", reason, Connection="close") from None
    return body


async def read_rest(chunks: AsyncIterator[bytes], body: bytearray) -> None:
    async for chunk in chunks:
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            # What is left of it is not read: the connection ends here.
            reason = f"up to {MAX_BODY_BYTES} bytes are accepted"
            raise refuse(413, "body", reason, Connection="close")


def describe_body(model: type[Body]) -> dict:
    """Return what FastAPI's `openapi_extra` needs to show a body that FastAPI does not read itself."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}
