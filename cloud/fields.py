"""What a field of a request may hold: texts that every store and every box can carry."""

from typing import Annotated, Final

from pydantic import AfterValidator, Field

from agreed.limits import (
    AMOUNT_FEN_MAX,
    BASIS_POINTS,
    NAME_PATTERN,
    SPAN_MS_MAX,
    TEXT_BYTES_MAX,
    WALL_MS_MAX,
)
from agreed.records import RecordError, check_text
from agreed.words import say

MS_PER_MINUTE: Final = 60_000
LABEL_CHARACTERS_MAX: Final = 80


def _carried(value: str) -> str:
    try:
        check_text("text", value)
    except RecordError:
        raise ValueError(
            say("at most {bytes} bytes, without control characters", bytes=TEXT_BYTES_MAX)
        ) from None
    return value


def _shown(value: str) -> str:
    if not value.isprintable():
        raise ValueError(say("control characters are not allowed"))
    return value


Name = Annotated[str, Field(pattern=NAME_PATTERN)]
"""Company, site, box or pack: also a topic level or a part of an address."""

Word = Annotated[str, Field(min_length=1), AfterValidator(_carried)]
"""What a record may carry: an order, a worker, a card."""

MaybeWord = Annotated[str, AfterValidator(_carried)]
"""Likewise, or nothing."""

Label = Annotated[str, Field(min_length=1, max_length=LABEL_CHARACTERS_MAX), AfterValidator(_shown)]
"""What a person reads."""

Note = Annotated[str, Field(max_length=200), AfterValidator(_shown)]
"""A remark, or nothing."""

Minutes = Annotated[int, Field(ge=0, le=SPAN_MS_MAX // MS_PER_MINUTE)]
BasisPoints = Annotated[int, Field(ge=0, le=BASIS_POINTS)]
Fen = Annotated[int, Field(ge=0, le=AMOUNT_FEN_MAX)]
WallMs = Annotated[int, Field(ge=0, le=WALL_MS_MAX)]
