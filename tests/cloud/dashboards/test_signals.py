from dataclasses import replace

import pytest

from cloud.dashboards import signals
from cloud.database.views import BoxView

NOW = 10_000_000
BOX = BoxView(
    company="hexin",
    site="yuhuayuan",
    box="box-1",
    status="accepted",
    incident=None,
    is_online=True,
    presence_at_ms=NOW - 600_000,
    last_heard_ms=NOW - 2_000,
    epoch="00" * 16,
    committed_through=12,
    committed_head="00" * 32,
    covered_until_ms=NOW - 2_000,
    waiting_records=0,
    oldest_waiting_ms=0,
    devices_lost=[],
    clock_bound_ms=20,
    status_at_ms=NOW - 2_000,
    directives_waiting=0,
    applied_through=5,
)
AWAY = replace(BOX, is_online=False, presence_at_ms=NOW - 120_000, covered_until_ms=NOW - 180_000)


@pytest.mark.parametrize(
    ("box", "level", "word", "age"),
    [
        (BOX, "good", "online", "just now"),
        (replace(BOX, last_heard_ms=NOW - 31_000), "warn", "silent", "31 s"),
        (AWAY, "bad", "offline", "2 min"),
        (replace(BOX, last_heard_ms=None), "unknown", "never heard", ""),
        (replace(BOX, status="pending"), "warn", "pending", ""),
        (replace(BOX, status="retired"), "unknown", "retired", ""),
    ],
)
def test_the_link_says_what_since_when_and_why(
    box: BoxView, level: str, word: str, age: str
) -> None:
    signal = signals.link(box, NOW, 1)
    assert (signal.level, signal.word, signal.age) == (level, word, age)
    assert bool(signal.reason) == (level in {"bad", "warn"} or word == "never heard")


@pytest.mark.parametrize(
    ("box", "level", "word"),
    [
        (BOX, "good", "caught up"),
        (replace(BOX, waiting_records=9, oldest_waiting_ms=9_000), "good", "caught up"),
        (replace(BOX, waiting_records=9, oldest_waiting_ms=11_000), "warn", "behind"),
        (replace(BOX, waiting_records=9, oldest_waiting_ms=300_001), "bad", "behind"),
        (replace(BOX, waiting_records=None), "unknown", "unknown"),
        (replace(BOX, incident="forked"), "bad", "needs a person"),
    ],
)
def test_the_data_says_whether_records_are_here(box: BoxView, level: str, word: str) -> None:
    signal = signals.data(box, NOW, 1)
    assert (signal.level, signal.word) == (level, word)


def test_an_away_box_that_had_sent_everything_is_not_called_caught_up() -> None:
    signal = signals.data(AWAY, NOW, 1)
    assert signal.level == "unknown"
    assert signal.age == "3 min"
    assert "not undone" in signal.reason
    assert signals.oldest_waiting(AWAY, NOW) == "unknown"
    assert signals.waiting(AWAY) == "at least 0"


def test_a_simulated_day_makes_no_box_look_silent() -> None:
    fast = replace(BOX, last_heard_ms=NOW - 3_000_000, oldest_waiting_ms=3_000_000)
    assert signals.link(fast, NOW, 900).level == "good"
    assert signals.data(replace(fast, waiting_records=3), NOW, 900).level == "good"


def test_the_oldest_waiting_record_of_an_away_box_grows_older() -> None:
    box = replace(AWAY, waiting_records=3, oldest_waiting_ms=60_000, status_at_ms=NOW - 120_000)
    assert signals.oldest_waiting(box, NOW) == "3 min"
    assert signals.oldest_waiting(BOX, NOW) == "none"
    assert signals.oldest_waiting(replace(BOX, oldest_waiting_ms=None), NOW) == "unknown"
    assert signals.waiting(replace(BOX, waiting_records=None)) == "unknown"


def test_the_worst_box_comes_first_and_healthy_ones_need_nobody() -> None:
    rows = signals.fleet([BOX, AWAY, replace(BOX, devices_lost=["gate"])], NOW, 1)
    assert rows[0][0] is AWAY
    assert [signals.needs_somebody(row) for row in rows] == [True, False, True]
