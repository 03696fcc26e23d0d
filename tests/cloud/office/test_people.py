"""People have tokens and roles of their own; only hashes are kept."""

import pytest
from sqlalchemy import text

from agreed.words import language
from cloud.database.engine import reading
from cloud.office.people import (
    OPERATOR,
    Duty,
    UserRequest,
    end_user,
    list_users,
    person_of,
    put_user,
)
from cloud.office.refusals import ConflictError, ForbiddenError, UnknownError
from tests.cloud.world import T0, World


def put(world: World, user_id: str, token: str, *roles: Duty) -> None:
    request = UserRequest(user_id=user_id, name=user_id.title(), roles=list(roles))
    put_user(world.engine, "acme", request, token, T0)


def test_a_token_names_its_person(world: World) -> None:
    put(world, "lin", "secret", Duty.CLERK)
    found = person_of(world.engine, "acme", "secret")
    assert found is not None
    assert (found.user_id, found.name) == ("lin", "Lin")
    assert found.duties == {Duty.CLERK}
    assert person_of(world.engine, "acme", "other") is None
    assert person_of(world.engine, "else", "secret") is None
    with reading(world.engine) as connection:
        held = connection.execute(text("SELECT token_hash FROM users")).scalar_one()
    assert "secret" not in held


def test_a_new_token_ends_the_old_one(world: World) -> None:
    put(world, "lin", "old", Duty.CLERK)
    put(world, "lin", "new", Duty.CLERK, Duty.APPROVER)
    assert person_of(world.engine, "acme", "old") is None
    with reading(world.engine) as connection:
        [person] = list_users(connection, "acme")
    assert person.duties == {Duty.CLERK, Duty.APPROVER}
    end_user(world.engine, "acme", "lin", T0)
    assert person_of(world.engine, "acme", "new") is None
    with pytest.raises(UnknownError):
        end_user(world.engine, "acme", "lin", T0)


def test_the_operator_is_nobody_else(world: World) -> None:
    with pytest.raises(ConflictError):
        put(world, "operator", "t", Duty.CLERK)


def test_a_duty_is_asked_for(world: World) -> None:
    language.set("en")
    put(world, "lin", "t", Duty.CLERK)
    lin = person_of(world.engine, "acme", "t")
    assert lin is not None
    lin.must_be(Duty.APPROVER, Duty.CLERK)
    OPERATOR.must_be(Duty.APPROVER)
    with pytest.raises(ForbiddenError, match="Lin may not do this; it asks for the role approver"):
        lin.must_be(Duty.APPROVER)
