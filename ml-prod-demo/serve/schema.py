"""What goes in and out: the bodies, their validation, their place in the OpenAPI document.

The bodies are msgspec structures: decoding, type and range checks are one pass over the raw bytes, which is an order
of magnitude quicker than FastAPI's own path (json.loads, then pydantic). The OpenAPI document is made from the same
classes, so it stays true.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import msgspec

MAX_ROWS = 10_000
MAX_LIMIT = 1000
DEFAULT_LIMIT = 20
NIL = UUID(int=0)
MAX_BODY_BYTES = 4 * 1024 * 1024  # 10,000 rows, generously spaced, are half of this

Centimetres = Annotated[float, msgspec.Meta(ge=0, le=30)]


class Iris(msgspec.Struct, forbid_unknown_fields=True, gc=False, frozen=True):
    """One flower, in centimetres."""

    sepal_length: Centimetres
    sepal_width: Centimetres
    petal_length: Centimetres
    petal_width: Centimetres


class Batch(msgspec.Struct, forbid_unknown_fields=True):
    rows: Annotated[list[Iris], msgspec.Meta(min_length=1, max_length=MAX_ROWS)]


class Prediction(msgspec.Struct):
    predicted_class_index: int
    predicted_class_name: str
    probabilities: dict[str, float]
    input: Iris


class ClassOfRow(msgspec.Struct):
    predicted_class_index: int
    predicted_class_name: str


class BatchPrediction(msgspec.Struct):
    """One entry a row, in the order of the rows."""

    predictions: list[ClassOfRow]


class Problem(msgspec.Struct):
    """Why a request was refused: the field (or "body", "path", ...) and what is accepted there."""

    field: str
    reason: str


class Refused(Exception):
    """A request that is answered with a `Problem` and the status code `code`."""

    def __init__(self, code: int, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.code = code
        self.problem = Problem(field, reason)


encode = msgspec.json.Encoder().encode
_decode_iris = msgspec.json.Decoder(Iris).decode
_decode_batch = msgspec.json.Decoder(Batch).decode


def parse_iris(body: bytes) -> Iris:
    """Return the flower in `body`. Raises Refused (422)."""
    try:
        return _decode_iris(body)
    except (msgspec.MsgspecError, ValueError) as error:
        raise _refused(error) from None


def parse_batch(body: bytes) -> list[Iris]:
    """Return the 1 to MAX_ROWS flowers in `body`. Raises Refused (422)."""
    try:
        return _decode_batch(body).rows
    except (msgspec.MsgspecError, ValueError) as error:
        raise _refused(error) from None


def _refused(error: Exception) -> Refused:
    """Split msgspec's "Object missing required field `x` - at `$.rows[3]`" into a field and a reason."""
    reason, _, place = str(error).partition(" - at `$")
    field = place.strip("`.")
    if named := re.search(r"(?:missing required|unknown) field `(.*)`", reason):
        field = f"{field}.{named[1]}".strip(".")
    return Refused(422, field or "body", reason)


def parse_limit(text: str | None) -> int:
    """Return how many records are wanted. Raises Refused (422)."""
    if text is None:
        return DEFAULT_LIMIT
    if text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= MAX_LIMIT:
        return int(text)
    raise Refused(422, "limit", f"a whole number from 1 to {MAX_LIMIT} is accepted")


def parse_before(text: str | None) -> tuple[datetime, UUID]:
    """Return the place to read on from: "TIME", or "TIME,ID" as `next` has it. Raises Refused (422)."""
    if text is None:
        return datetime.max.replace(tzinfo=UTC), NIL
    time, _, id_ = text.partition(",")
    try:
        moment = datetime.fromisoformat(time)
        # Converting also finds the times that no calendar has: year 1 in a zone east of Greenwich.
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC), UUID(
            id_ or NIL.hex
        )
    except (ValueError, OverflowError):
        raise Refused(
            422, "before", "an ISO 8601 time is accepted, or the `next` of a page"
        ) from None


# OpenAPI ----------------------------------------------------------------------------------------------------------

_TYPES = (Iris, Batch, Prediction, BatchPrediction, Problem)
_REFS, COMPONENTS = msgspec.json.schema_components(
    _TYPES, ref_template="#/components/schemas/{name}"
)
_REF = dict(zip(_TYPES, _REFS, strict=True))


def as_json(type_: type) -> dict:
    return {"content": {"application/json": {"schema": _REF[type_]}}}


def problems(*codes: int) -> dict[int, dict]:
    """Return the `responses` of a route that may answer with these codes."""
    what = {
        401: "No valid X-API-Key",
        413: f"More than {MAX_BODY_BYTES} bytes",
        422: "Not what is accepted",
        503: "A part behind the api is away",
        404: "Not switched on",
    }
    return {code: {"description": what[code], **as_json(Problem)} for code in codes}


PAGE_PARAMETERS = [
    {
        "name": "limit",
        "in": "query",
        "description": "How many records",
        "schema": {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
    },
    {
        "name": "before",
        "in": "query",
        "description": "Older than this ISO 8601 time, or than the last record of a page: its `next`",
        "schema": {"type": "string", "format": "date-time"},
    },
]
