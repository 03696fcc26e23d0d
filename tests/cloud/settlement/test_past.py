from cloud.settlement.facts import Member
from cloud.settlement.past import Index, to_past
from cloud.settlement.pieces import Seat
from tests.cloud.settlement.small_month import earning, facts, order


def test_nodes_of_a_seat_lie_beside_each_other() -> None:
    month = facts(earning("o-1", "w-1"), earning("o-2", "w-2"), earning("o-3", "w-1"))
    past = to_past([month, month])
    assert past.lines == 6
    assert past.single.seat.tolist() == [0, 0, 1, 2, 2, 3]
    assert past.seats[2] == (1, Seat("w-1", "cleaner", "east"))
    assert past.orders.month.tolist() == [0] * 3 + [1] * 3
    assert past.months[0].earnings == ()


def test_crews_are_weighed_by_how_many_share_a_role() -> None:
    crew = (Member("w-2", "mate"), Member("w-3", "mate"))
    past = to_past([facts(earning("o-1", "w-1", role="lead", crew=crew))])
    assert past.crews.line.tolist() == [0, 0, 0]
    assert past.crews.scale.tolist() == [2, 1, 1]
    assert sorted(past.crews.served.tolist()) == [0, 1, 2]


def test_what_went_back_is_marked() -> None:
    back = order("o-1", refund_fen=20_000)
    past = to_past([facts(earning("o-1", "w-1"), orders=(back,))])
    assert past.single.is_refunded.tolist() == [1]
    assert past.orders.income_fen.tolist() == [0]


def test_keys_are_numbered_as_they_come() -> None:
    index: Index[str] = Index()
    assert [index.number(key) for key in "abab"] == [0, 1, 0, 1]
    assert index.keys() == ("a", "b")
