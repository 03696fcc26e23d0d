"""Keeps people, their roles and the hashes of their tokens."""

from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from cloud.database import schema

USERS_MAX = 1_000


def put(  # noqa: PLR0913, PLR0917  # a row
    connection: Connection,
    company: str,
    user_id: str,
    name: str,
    roles: list[str],
    token_hash: str,
    now_ms: int,
) -> None:
    """Add a person, or give a known one another token and these roles."""
    users = schema.users
    values = {"name": name, "roles": roles, "token_hash": token_hash, "ended_at_ms": None}
    is_user = (users.c.company == company) & (users.c.user_id == user_id)
    if not connection.execute(update(users).where(is_user).values(**values)).rowcount:
        key = {"company": company, "user_id": user_id, "created_at_ms": now_ms}
        connection.execute(insert(users), key | values)


def end(connection: Connection, company: str, user_id: str, now_ms: int) -> bool:
    """End a person's token; False if none is in force."""
    users = schema.users
    done = connection.execute(
        update(users)
        .where(
            users.c.company == company, users.c.user_id == user_id, users.c.ended_at_ms.is_(None)
        )
        .values(ended_at_ms=now_ms)
    )
    return done.rowcount > 0


def in_force(connection: Connection, company: str) -> list[Row[Any]]:
    """List the people whose tokens are in force."""
    users = schema.users
    query = select(users).where(users.c.company == company, users.c.ended_at_ms.is_(None))
    return list(connection.execute(query.order_by(users.c.user_id).limit(USERS_MAX)))


def find(connection: Connection, company: str, token_hash: str) -> Row[Any] | None:
    """Find the person of a token."""
    users = schema.users
    query = select(users).where(
        users.c.company == company,
        users.c.token_hash == token_hash,
        users.c.ended_at_ms.is_(None),
    )
    return connection.execute(query).one_or_none()
