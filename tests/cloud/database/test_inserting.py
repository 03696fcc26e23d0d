"""Many rows at once: whole or not at all, and the rules of the tables hold."""

import pytest
from sqlalchemy import Engine, insert, select
from sqlalchemy.exc import IntegrityError

from cloud.database import schema
from cloud.database.engine import reading, writing
from cloud.database.inserting import ROWS_PER_INSERT, add_rows, given_columns

MANY = 2 * ROWS_PER_INSERT + 1


def company(number: int) -> tuple[object, ...]:
    values = {"company": f"c-{number:04}", "name": "业主\t\\N\n", "created_at_ms": number}
    rest = {"utc_offset_minutes": 480, "minimum_wage_fen": 0}
    return tuple((values | rest)[name] for name in schema.companies.columns.keys())  # noqa: SIM118


def count(store: Engine) -> int:
    with reading(store) as connection:
        return len(connection.execute(select(schema.companies)).all())


def test_every_row_arrives_as_it_is(store: Engine) -> None:
    with writing(store) as connection:
        add_rows(connection, schema.companies, map(company, range(MANY)))
        add_rows(connection, schema.companies, [])
    with reading(store) as connection:
        found = connection.execute(select(schema.companies).order_by(schema.companies.c.company))
        assert [tuple(row) for row in found] == [company(number) for number in range(MANY)]


def test_what_rows_have_in_common_is_handed_in_once(store: Engine) -> None:
    with writing(store) as connection:
        connection.execute(
            insert(schema.companies), [{"company": "c", "name": "", "created_at_ms": 0}]
        )
        sites = [(f"s-{number:04}", f"{number}", number, number, "") for number in range(MANY)]
        add_rows(connection, schema.sites, sites, same=("c",))
    with reading(store) as connection:
        found = connection.execute(select(schema.sites).order_by(schema.sites.c.site))
        assert [tuple(row) for row in found] == [("c", *site) for site in sites]


def test_what_the_store_computes_is_not_given() -> None:
    assert "hour" in schema.records.columns
    assert "hour" not in given_columns(schema.records)


def test_all_or_none(store: Engine) -> None:
    twice = [*map(company, range(MANY)), company(MANY - 1)]
    with pytest.raises(IntegrityError), writing(store) as connection:
        add_rows(connection, schema.companies, twice)
    assert count(store) == 0


def test_the_store_goes_on_after_a_refusal(store: Engine) -> None:
    with writing(store) as connection:
        add_rows(connection, schema.companies, [company(1)])
    with pytest.raises(IntegrityError), writing(store) as connection:
        add_rows(connection, schema.companies, [company(1)])
    with writing(store) as connection:
        add_rows(connection, schema.companies, [company(2)])
    assert count(store) == 2
