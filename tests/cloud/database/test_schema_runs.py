"""The store itself asks for a second person, one live run a month, and one way."""

from typing import Any

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from cloud.database import schema
from cloud.database.engine import writing
from tests.cloud.world import T0, World

RUN: dict[str, Any] = {
    "company": "acme",
    "site": "north",
    "period": "2027-01",
    "run": 1,
    "status": "previewed",
    "hash": "00",
    "plan": "",
    "prepared_by": "lin",
    "prepared_at_ms": T0,
}


def act(world: World, statement: str) -> None:
    with writing(world.engine) as connection:
        connection.execute(text(statement))


@pytest.fixture
def previewed(world: World) -> World:
    with writing(world.engine) as connection:
        connection.execute(insert(schema.runs), RUN)
        line = {k: RUN[k] for k in ("company", "site", "period", "run")} | {"position": 1}
        paid = {"payee": "w-1", "rule": "piece", "amount_fen": 5, "formula": "5", "inputs": {}}
        connection.execute(insert(schema.run_lines), line | paid)
        done = {"act": 1, "status": "previewed", "who": "lin", "at_ms": T0, "note": ""}
        known = {k: v for k, v in line.items() if k != "position"}
        connection.execute(insert(schema.run_acts), known | done)
    return world


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE runs SET status = 'approved'",
        "UPDATE runs SET status = 'reviewed', approved_by = 'lin'",
        "UPDATE runs SET status = 'posted', approved_by = 'wang'",
        "UPDATE runs SET hash = '01'",
        "DELETE FROM runs",
        "UPDATE run_lines SET amount_fen = 6",
        "DELETE FROM run_lines",
        "UPDATE run_acts SET who = 'wang'",
        "DELETE FROM run_acts",
    ],
)
def test_a_run_stays_as_prepared_and_goes_one_way(previewed: World, attack: str) -> None:
    with pytest.raises(DBAPIError):
        act(previewed, attack)


def test_a_second_person_approves(previewed: World) -> None:
    act(previewed, "UPDATE runs SET status = 'reviewed'")
    for steps in ("approved", "posted", "paid"):
        act(previewed, f"UPDATE runs SET status = '{steps}', approved_by = 'wang'")
    with pytest.raises(DBAPIError):
        act(previewed, "UPDATE runs SET status = 'posted'")


def test_one_run_of_a_month_is_live(previewed: World) -> None:
    with pytest.raises(IntegrityError), writing(previewed.engine) as connection:
        connection.execute(insert(schema.runs), RUN | {"run": 2})
    act(previewed, "UPDATE runs SET status = 'discarded'")
    with writing(previewed.engine) as connection:
        connection.execute(insert(schema.runs), RUN | {"run": 2})


def test_a_dispute_is_decided_once(world: World) -> None:
    opened = {"dispute": 1, "worker": "w-1", "period": "2027-01", "line": "o/n/1", "claim": "?"}
    with writing(world.engine) as connection:
        place = {"company": "acme", "site": "north"}
        who = {"opened_by": "w-1", "opened_at_ms": T0, "status": "open"}
        connection.execute(insert(schema.disputes), place | opened | who)
    for wrong in (
        "UPDATE disputes SET claim = '!'",
        "UPDATE disputes SET status = 'granted', decided_by = 'lin'",
        "UPDATE disputes SET status = 'refused'",
        "UPDATE disputes SET status = 'refused', decided_by = 'lin', amount_fen = 5",
    ):
        with pytest.raises(DBAPIError):
            act(world, wrong)
    act(world, "UPDATE disputes SET status = 'granted', decided_by = 'lin', amount_fen = 5")
    with pytest.raises(DBAPIError):
        act(world, "UPDATE disputes SET status = 'refused', amount_fen = 0")
