from itertools import permutations

from cloud.replay.cases import CasePromise, Cases, Fact
from cloud.replay.events import Event, Said
from cloud.replay.rows import Unreadable
from tests.cloud.replay.logs import mapping

SILENT = (Said(), Said(), Said())


def event(line: int, step: str, actor: str, at_ms: int, *said: Said) -> Event:
    return Event(line, "o1", step, actor, at_ms, said or SILENT)


def promises(*events: Event) -> list[CasePromise]:
    cases = Cases(mapping())
    for each in events:
        assert cases.add(each) is None
    return list(cases.promises())


def test_first_and_last_are_by_time_whatever_the_order_of_lines() -> None:
    events = (
        event(2, "arrive", "w1", 2000),
        event(3, "arrive", "w2", 1000),
        event(4, "finish", "w3", 3000),
    )
    for order in permutations(events):
        closed, arrived, last = promises(*order)
        assert closed.fact is None
        assert arrived.fact == Fact(1000, 3, "w2")
        assert last.fact == Fact(3000, 4, "w3")
        assert (closed.worker, arrived.worker, last.worker) == ("", "w2", "w3")
        assert {p.first_at_ms for p in (closed, arrived, last)} == {1000}


def test_at_one_instant_the_earlier_line_is_first_and_the_later_is_last() -> None:
    _, arrived, last = promises(event(2, "arrive", "w1", 1000), event(3, "arrive", "w2", 1000))
    assert arrived.fact == Fact(1000, 2, "w1")
    assert last.fact == Fact(1000, 3, "w2")


def test_a_column_counts_from_whichever_row_has_it() -> None:
    closed, arrived, _ = promises(
        event(2, "arrive", "w1", 1000),
        event(3, "finish", "w1", 2000, Said(5000), Said(5000), Said(5000)),
        event(4, "finish", "w1", 3000, Said(5000, 4000, "w9"), Said(5000), Said()),
        event(5, "finish", "w1", 3000, Said(5000, 4000, "w9"), Said(5000), Said()),
    )
    assert closed.promised_at_ms == 5000
    assert closed.fact == Fact(4000, 4, "")
    assert closed.worker == "w9"
    assert arrived.promised_at_ms == 5000


def test_a_contradiction_leaves_that_promise_without_a_fact() -> None:
    cases = Cases(mapping())
    cases.add(event(2, "arrive", "w1", 1000, Said(5000, 4000, "w9"), Said(5000), Said(5000)))
    for other, column in (
        (Said(5000, 4001, "w9"), "closed"),
        (Said(5000, 4000, "w8"), "owner"),
        (Said(5001, 4000, "w9"), "due"),
    ):
        row = cases.add(event(3, "finish", "w2", 9000, other, Said(5000), Said(5000)))
        assert row == Unreadable(3, f"{column}: line 2 says otherwise", "o1")
    closed, arrived, last = cases.promises()
    assert closed.fact is None
    assert arrived.fact == Fact(1000, 2, "w1")
    assert last.fact == Fact(1000, 2, "w1")


def test_a_case_with_an_unreadable_row_has_no_known_first_or_last() -> None:
    cases = Cases(mapping())
    cases.add_unreadable(Unreadable(2, "torn", "o1"))
    cases.add_unreadable(Unreadable(3, "torn"))
    cases.add(event(4, "arrive", "w1", 1000, Said(5000, 4000, "w9"), Said(5000), Said(5000)))
    closed, arrived, last = cases.promises()
    assert closed.fact == Fact(4000, 4, "")
    assert (arrived.fact, last.fact) == (None, None)
    assert (closed.worker, arrived.worker, last.worker) == ("w9", "", "")


def test_a_case_of_unreadable_rows_alone_is_none() -> None:
    cases = Cases(mapping())
    cases.add_unreadable(Unreadable(2, "torn", "o1"))
    assert len(cases) == 0
    assert list(cases.promises()) == []


def test_a_promise_may_pay_nobody() -> None:
    rule = mapping().promise[0].model_copy(update={"paid": None})
    cases = Cases(mapping().model_copy(update={"promise": [rule]}))
    cases.add(Event(2, "o1", "arrive", "w1", 1000, (Said(5000, 4000, "w9"),)))
    (closed,) = cases.promises()
    assert (closed.worker, closed.fact) == ("", Fact(4000, 2, ""))
