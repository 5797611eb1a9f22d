"""What goes in and out: the bodies, what is accepted in them, and what a refusal looks like."""

from typing import Annotated, Self

from fastapi import HTTPException
from pydantic import BaseModel, ConfigDict, Field, ValidationError

MAX_BODY_BYTES = 4 * 1024 * 1024  # 10,000 rows, generously spaced, are half of this

Centimetres = Annotated[float, Field(ge=0, le=30, allow_inf_nan=False)]


class Body(BaseModel):
    # A number in quotes is no number, and a field that is not known is a mistake.
    model_config = ConfigDict(strict=True, extra="forbid")

    @classmethod
    def from_json(cls, body: bytes) -> Self:
        """Return what the JSON in `body` is. Raises HTTPException (422) with the first thing that is wrong."""
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


def describe_body(model: type[Body]) -> dict:
    """Return what FastAPI's `openapi_extra` needs to show a body that FastAPI does not read itself."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}
