import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from cloud.database.engine import writing
from cloud.database.plan_books import add_plan
from tests.cloud.settlement.small_month import plan
from tests.cloud.world import T0, World

COPY = (
    "INSERT INTO plans SELECT company, site, plan, {version}, {month}, published_by,"
    " published_at_ms, content FROM plans"
)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE plans SET from_period = '2026-04'",
        "DELETE FROM plans",
        COPY.format(version=0, month="from_period"),
        COPY.format(version=9, month="'2026'"),
        COPY.format(version="version", month="from_period"),
    ],
)
def test_a_published_plan_stays_as_it_is(world: World, statement: str) -> None:
    with writing(world.engine) as connection:
        add_plan(connection, "acme", plan(), "lin", T0)
    with pytest.raises(DBAPIError), writing(world.engine) as connection:
        connection.execute(text(statement))
