import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from cloud.database.engine import writing
from cloud.office.refunding import RefundRequest, refund_order
from tests.cloud.world import PLACE, T0, World

COPY = (
    "INSERT INTO refunds SELECT company, site, order_id, 2, {key}, {fen}, cause, at_ms, period"
    " FROM refunds"
)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE refunds SET amount_fen = 1",
        "DELETE FROM refunds",
        COPY.format(key="'other'", fen=0),
        COPY.format(key="key", fen=5),
        "UPDATE orders SET segment = 'vulnerable'",
        "UPDATE promises SET quantity = 9",
        "UPDATE promises SET crew = '[]'",
    ],
)
def test_refunds_and_what_was_booked_stay_as_they_are(world: World, statement: str) -> None:
    world.order("o-1")
    request = RefundRequest(key="k", amount_fen=5, cause="why")
    refund_order(world.engine, PLACE, "o-1", request, T0)
    with pytest.raises(DBAPIError), writing(world.engine) as connection:
        connection.execute(text(statement))
