"""What the routes work with: the store, the clock, and who may do what."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Annotated

from fastapi import Path, Query
from pydantic import BaseModel
from sqlalchemy import Connection, Engine

from agreed.limits import WALL_MS_MAX
from cloud.broker import Account
from cloud.database.engine import reading
from cloud.database.fleet import BoxName, Place
from cloud.fields import Name, Word


class Login(BaseModel):
    """What a box needs to reach headquarters; the password is shown this once."""

    url: str
    user: str
    password: str


@dataclass(frozen=True, slots=True)
class Desk:
    """One headquarters, as its routes see it.

    Attributes:
        engine: the store.
        company: the company that is served.
        now_ms: the wall clock, ms.
        random_bytes: gives that many unguessable bytes.
        make_code: gives an unguessable code to scan.
        login: of a box by the number of its password; None where another broker is used.
        wake: call after a change that boxes should learn of.
        token: who shows it may write; empty lets everybody.
        is_open: reading needs no token.
    """

    engine: Engine
    company: str
    now_ms: Callable[[], int]
    random_bytes: Callable[[int], bytes]
    make_code: Callable[[], str]
    login: Callable[[BoxName, int], tuple[str, Account] | None]
    wake: Callable[[], None]
    token: str
    is_open: bool

    def reading(self) -> AbstractContextManager[Connection]:
        """Open one read transaction."""
        return reading(self.engine)

    def place(self, site: str) -> Place:
        """Name a site of the company."""
        return Place(self.company, site)

    def box(self, site: str, box: str) -> BoxName:
        """Name a box of the company."""
        return BoxName(self.company, site, box)


SiteName = Annotated[Name, Path(description="site", examples=["sunrise-garden"])]
BoxKey = Annotated[Name, Path(description="box", examples=["gatehouse-1"])]
SiteWanted = Annotated[Name | None, Query(description="only this site")]
WordWanted = Annotated[Word | None, Query()]
Offset = Annotated[int, Query(ge=0, le=10**9)]
Limit = Annotated[int, Query(ge=1, le=500)]
FromMs = Annotated[int, Query(ge=0, le=WALL_MS_MAX, description="ms since 1970, inclusive")]
UntilMs = Annotated[int, Query(ge=0, le=WALL_MS_MAX, description="ms since 1970, exclusive")]
