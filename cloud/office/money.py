"""Puts money into a site's commission pool."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Engine

from agreed.limits import AMOUNT_FEN_MAX
from cloud.consequences import pay_what_waits
from cloud.database import books
from cloud.database.engine import writing
from cloud.database.fleet import Place
from cloud.fields import Note, Word
from cloud.office.sites import hold_site
from cloud.settlement.waterfall import COMPANY, POOL, Move


class FundingRequest(BaseModel):
    """Money for a site's pool.

    Attributes:
        key: yours, for this funding; the same key again changes nothing.
        amount_fen: fen, > 0.
        note: where it comes from, for the books.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: Word
    amount_fen: Annotated[int, Field(gt=0, le=AMOUNT_FEN_MAX)]
    note: Note = ""


def fund_pool(engine: Engine, place: Place, request: FundingRequest, now_ms: int) -> int:
    """Fund the pool and pay the lines that waited for it; gives what the pool holds then, fen.

    Raises:
        UnknownError: no such site.
    """
    with writing(engine) as connection:
        hold_site(connection, place)
        key = f"funding/{request.key}"
        if not books.is_posted(connection, place, key):
            reason = {"note": request.note}
            move = Move(key, "funding", COMPANY, POOL, request.amount_fen, now_ms, "", reason)
            books.post(connection, place, [move], now_ms)
            pay_what_waits(connection, place, now_ms)
        return books.pool_fen(connection, place)
