"""Opens the company and its sites, and puts people and cards into them."""

from pydantic import BaseModel, ConfigDict, model_validator
from sqlalchemy import Connection, Engine

from agreed.directives import EndCredential, PutCredential, Role
from agreed.words import say
from cloud.database import masters
from cloud.database.engine import reading, writing
from cloud.database.fleet import Place, accepted_boxes, direct, lock_site
from cloud.fields import Label, Name, WallMs, Word
from cloud.office.refusals import UnknownError


class _Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SiteRequest(_Request):
    """A site to open."""

    site: Name
    name: Label


class WorkerRequest(_Request):
    """A worker to add, or to rename."""

    worker: Word
    name: Label


class CredentialRequest(_Request):
    """What a card opens, and for whom; replaces what it did before."""

    subject: Word
    role: Role
    valid_from_ms: WallMs
    valid_until_ms: WallMs

    @model_validator(mode="after")
    def _check(self) -> "CredentialRequest":
        if self.valid_until_ms <= self.valid_from_ms:
            raise ValueError(say("valid_until_ms: must be later than valid_from_ms"))
        return self


def open_company(engine: Engine, company: str, name: str, now_ms: int) -> bool:
    """Add the company; False if it is there already."""
    with writing(engine) as connection:
        return masters.add_company(connection, company, name, now_ms)


def known_companies(engine: Engine) -> list[str]:
    """List the companies of this store."""
    with reading(engine) as connection:
        return masters.companies(connection)


def open_site(engine: Engine, company: str, request: SiteRequest, now_ms: int) -> bool:
    """Add a site; False if it is there already."""
    with writing(engine) as connection:
        place = Place(company, request.site)
        return masters.add_site(connection, place, request.name, now_ms)


def put_workers(engine: Engine, place: Place, requests: list[WorkerRequest], now_ms: int) -> None:
    """Add workers, or rename them.

    Raises:
        UnknownError: no such site.
    """
    with writing(engine) as connection:
        hold_site(connection, place)
        for request in requests:
            masters.put_worker(connection, place, request.worker, request.name, now_ms)


def put_credentials(
    engine: Engine, place: Place, requests: dict[str, CredentialRequest], now_ms: int
) -> None:
    """Let cards open gates, and tell the boxes of the site.

    Raises:
        UnknownError: no such site.
    """
    with writing(engine) as connection:
        hold_site(connection, place)
        for card, request in requests.items():
            values = request.model_dump(mode="json")
            masters.put_credential(connection, place, card, **values)
        told = [PutCredential(card=card, **dict(request)) for card, request in requests.items()]
        direct(connection, accepted_boxes(connection, place), list(told), now_ms)


def end_credential(engine: Engine, place: Place, card: str, now_ms: int) -> None:
    """End a card, and tell the boxes of the site.

    Raises:
        UnknownError: no such site, or no such card in force.
    """
    with writing(engine) as connection:
        hold_site(connection, place)
        if not masters.end_credential(connection, place, card, now_ms):
            raise UnknownError("card", say("No card {card} is in force here.", card=card))
        boxes = accepted_boxes(connection, place)
        direct(connection, boxes, [EndCredential(card=card)], now_ms)


def hold_site(connection: Connection, place: Place) -> int:
    """Lock a site for the transaction and give its coverage, ms.

    Raises:
        UnknownError: no such site.
    """
    covered_until_ms = lock_site(connection, place)
    if covered_until_ms is None:
        raise UnknownError("site", say("There is no site {site}; open it first.", site=place.site))
    return covered_until_ms
