"""What every command of headquarters shares: the opened store, who asks, options, output."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import typer
from pydantic import BaseModel, TypeAdapter, ValidationError
from rich.console import Console
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from agreed.limits import NAME_PATTERN
from agreed.words import RemedyError, say
from agreed.wrong_fields import explain
from cloud import reads
from cloud.database.engine import reading
from cloud.database.fleet import BoxName, Place
from cloud.folder import Folder, Kept, store_trouble
from cloud.link import Clock
from cloud.office.people import OPERATOR, Person, person_of
from cloud.office.refusals import OfficeError
from cloud.opening import open_store, wall_clock

RequestT = TypeVar("RequestT", bound=BaseModel)

DEFAULT_DATA: Final = Path("var/headquarters")

Data = Annotated[Path, typer.Option("--data", help=say("Data folder of headquarters."))]
AsJson = Annotated[bool, typer.Option("--json", help=say("Print JSON for programs."))]
Site = Annotated[str | None, typer.Option(help=say("Site; may be left out where there is one."))]
Token = Annotated[
    str | None,
    typer.Option(
        "--token", envvar="DUIFU_TOKEN", help=say("Your own token; without it the operator acts.")
    ),
]
Yes = Annotated[bool, typer.Option("--yes", help=say("Do it without asking."))]
Note = Annotated[str, typer.Option(help=say("A remark that stays with the act."))]
Period = Annotated[str, typer.Argument(help=say("Month, as 2026-03."))]
Order = Annotated[str, typer.Argument(help=say("Order."))]
Worker = Annotated[str, typer.Argument(help=say("Worker id."))]
UserId = Annotated[str, typer.Argument(help=say("Short name, as acts name the person."))]
OnceKey = Annotated[
    str, typer.Option("--key", help=say("Yours, for this act; the same key again changes nothing."))
]

out = Console(highlight=False, soft_wrap=True)
talk = Console(stderr=True, highlight=False, soft_wrap=True)


@dataclass(frozen=True, slots=True)
class House:
    """An opened headquarters, for one command."""

    folder: Folder
    kept: Kept
    engine: Engine
    clock: Clock

    @property
    def company(self) -> str:
        """Give the company's key."""
        return self.kept.company

    @property
    def now_ms(self) -> int:
        """Read the clock."""
        return self.clock.wall_ms()

    def place(self, site: str | None) -> Place:
        """Find the site that is meant.

        Raises:
            RemedyError: there are several and none was named.
        """
        if site is not None:
            return Place(self.company, checked("--site", site))
        with reading(self.engine) as connection:
            known = [view.site for view in reads.sites(connection, self.company, 0)]
        if len(known) != 1:
            names = ", ".join(known) or "–"
            raise RemedyError(say("Name the site with --site: {sites}.", sites=names))
        return Place(self.company, known[0])

    def acting(self, token: str | None) -> Person:
        """Find who acts: the person of a token, else the operator.

        Raises:
            RemedyError: it is nobody's token.
        """
        if token is None or token == self.folder.token():
            return OPERATOR
        found = person_of(self.engine, self.company, token)
        if found is None:
            raise RemedyError(say("This token is nobody's; “duifu cloud users add” gives one."))
        return found

    def box(self, name: str) -> BoxName:
        """Read SITE/BOX."""
        site, slash, box = name.partition("/")
        if not slash:
            raise RemedyError(say("Write the box as SITE/BOX, not {name}.", name=name))
        return BoxName(self.company, checked("SITE", site), checked("BOX", box))


@contextmanager
def opened(data: Path) -> Iterator[House]:
    """Open a headquarters for one command; what is refused becomes a sentence and status 2."""
    folder = Folder(data.absolute())
    kept = folder.kept()
    engine = open_store(kept.database, folder.path)
    try:
        yield House(folder, kept, engine, wall_clock({}))
    except OfficeError as error:
        raise RemedyError(str(error)) from None
    except DBAPIError as error:
        raise store_trouble(folder.path, error) or error from None
    finally:
        engine.dispose()


def checked(option: str, name: str) -> str:
    """Give a name back, or refuse it."""
    if not re.match(NAME_PATTERN, name):
        raise RemedyError(
            say(
                "{option}: {name} is no name; use small letters, digits and hyphens, up to 32.",
                option=option,
                name=name,
            )
        )
    return name


def requested(model: type[RequestT], **fields: Any) -> RequestT:
    """Make a request of what was typed; what does not fit becomes a sentence that names the field.

    Raises:
        RemedyError: a field does not hold what it may hold.
    """
    try:
        return model(**fields)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise RemedyError(explain(first, place, say("the request"))[1]) from None


def print_json(kind: Any, found: Any) -> None:
    """Print what was found, as JSON."""
    data = TypeAdapter(kind).dump_python(found, mode="json")
    print(json.dumps(data, ensure_ascii=False, indent=1))  # noqa: T201  # it is the output
