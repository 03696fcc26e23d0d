"""People with a token of their own, and what each may do with money."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, Engine

from agreed.words import say
from cloud.database import users
from cloud.database.engine import reading, writing
from cloud.fields import Label, Name
from cloud.office.refusals import ConflictError, ForbiddenError, UnknownError


class Duty(StrEnum):
    """What a person may do; reading is everybody's who has a token."""

    CLERK = "clerk"  # prepare and review runs, post and pay what was approved, open disputes
    APPROVER = "approver"  # approve runs that somebody else prepared, decide disputes
    OPERATOR = "operator"  # everything, and give tokens to people


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks.

    Attributes:
        user_id: as in the books of acts.
        name: what a person reads.
        duties: what he or she may do.
    """

    user_id: str
    name: str
    duties: frozenset[Duty]

    def must_be(self, *wanted: Duty) -> None:
        """Refuse who has none of these duties.

        Raises:
            ForbiddenError: naming what is missing.
        """
        if not self.duties & {*wanted, Duty.OPERATOR}:
            raise ForbiddenError(
                "authorization",
                say(
                    "{name} may not do this; it asks for the role {role}.",
                    name=self.name,
                    role=wanted[0].value,
                ),
            )


OPERATOR: Final = Person("operator", "operator", frozenset({Duty.OPERATOR}))
"""Who holds the token of the data folder."""


class UserRequest(BaseModel):
    """A person to give a token to; a known one gets a new token and these roles.

    Attributes:
        user_id: how acts name the person.
        roles: at least one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    user_id: Name
    name: Label
    roles: Annotated[list[Duty], Field(min_length=1, max_length=len(Duty))]


def put_user(engine: Engine, company: str, request: UserRequest, token: str, now_ms: int) -> None:
    """Keep a person and the hash of the token, which is shown only now.

    Raises:
        ConflictError: the name is the operator's own.
    """
    if request.user_id == OPERATOR.user_id:
        raise ConflictError("user_id", say("operator is the data folder's own; choose another."))
    roles = sorted({duty.value for duty in request.roles})
    with writing(engine) as connection:
        users.put(connection, company, request.user_id, request.name, roles, _hash(token), now_ms)


def end_user(engine: Engine, company: str, user_id: str, now_ms: int) -> None:
    """End a person's token; the acts stay.

    Raises:
        UnknownError: no such person in force.
    """
    with writing(engine) as connection:
        if not users.end(connection, company, user_id, now_ms):
            raise UnknownError("user_id", say("There is no person {name}.", name=user_id))


def list_users(connection: Connection, company: str) -> list[Person]:
    """List the people whose tokens are in force."""
    return [_person(r.user_id, r.name, r.roles) for r in users.in_force(connection, company)]


def person_of(engine: Engine, company: str, token: str) -> Person | None:
    """Find whose token it is; None for nobody's."""
    with reading(engine) as connection:
        row = users.find(connection, company, _hash(token))
    return _person(row.user_id, row.name, row.roles) if row is not None else None


def _person(user_id: str, name: str, roles: Iterable[str]) -> Person:
    return Person(user_id, name, frozenset(map(Duty, roles)))


def _hash(token: str) -> str:
    # A token is 256 random bits: nobody can guess his way back from its hash.
    return sha256(token.encode(errors="replace")).hexdigest()
