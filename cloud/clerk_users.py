"""The operator's shell for people: `duifu cloud users …`."""

import secrets
from typing import Annotated, Final

import typer
from rich.table import Table

from agreed.words import say
from cloud.database.engine import reading
from cloud.office import people
from cloud.office.people import Duty, Person, UserRequest
from cloud.shell import (
    DEFAULT_DATA,
    AsJson,
    Data,
    UserId,
    checked,
    opened,
    out,
    print_json,
    requested,
    talk,
)

TOKEN_BYTES: Final = 32

users_app = typer.Typer(no_args_is_help=True, help=say("People with a token of their own."))


@users_app.command("add", help=say("Give a person a token; it is shown only now."))
def users_add(
    user_id: UserId,
    name: Annotated[str, typer.Option(help=say("The person's name."))],
    role: Annotated[list[Duty], typer.Option(help=say("clerk, approver or operator; repeat."))],
    data: Data = DEFAULT_DATA,
) -> None:
    """Give a person a token."""
    with opened(data) as house:
        user = checked("USER_ID", user_id)
        request = requested(UserRequest, user_id=user, name=name, roles=role)
        token = secrets.token_hex(TOKEN_BYTES)
        people.put_user(house.engine, house.company, request, token, house.now_ms)
    print(token)  # noqa: T201  # it is the output
    talk.print(say("Hand it over; next: duifu cloud settle ls --token TOKEN"), markup=False)


@users_app.command("ls", help=say("List people who have a token."))
def users_ls(data: Data = DEFAULT_DATA, *, as_json: AsJson = False) -> None:
    """List the people."""
    with opened(data) as house, reading(house.engine) as connection:
        found = people.list_users(connection, house.company)
    if as_json:
        print_json(list[Person], found)
        return
    table = Table(say("Id"), say("Name"), say("Roles"))
    for person in found:
        table.add_row(person.user_id, person.name, " ".join(sorted(person.duties)))
    out.print(table)


@users_app.command("end", help=say("End a person's token."))
def users_end(user_id: UserId, data: Data = DEFAULT_DATA) -> None:
    """End a person's token."""
    with opened(data) as house:
        people.end_user(house.engine, house.company, user_id, house.now_ms)
    talk.print(say("Ended."), markup=False)
