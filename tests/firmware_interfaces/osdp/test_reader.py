from typing import Any

import pytest

from firmware_interfaces.garbage import Garbage
from firmware_interfaces.observations import Admit, Observation, Seen
from firmware_interfaces.osdp.reader import (
    CYCLE_MS,
    GRACE_MS,
    HANDSHAKE_MS_MAX,
    INSTALL_S_MAX,
    REST_MS,
    SILENCE_MS_MAX,
    UNANSWERED_COUNT_MAX,
    Reader,
)
from firmware_interfaces.presence import Presence
from tests.firmware_interfaces.worlds import at_ms


class FakePanel:
    """What a reader asks of a panel."""

    def __init__(self) -> None:
        self.unanswered = 0
        self.did: list[str] = []
        self.garbage = Garbage()

    def unanswered_count(self, address: int) -> int:
        return self.unanswered if address == 7 else 0

    def enable(self, index: int) -> None:
        self.did.append(f"enable {index}")

    def disable(self, index: int) -> None:
        self.did.append(f"disable {index}")

    def flush(self, index: int) -> None:
        self.did.append(f"flush {index}")

    def set_installing(self, index: int, address: int, *, is_open: bool) -> None:
        assert address == 7
        self.did.append(f"install {index} {is_open}")


@pytest.fixture
def panel() -> Any:
    return FakePanel()


def reader(panel: Any) -> Reader:
    one = Reader(0, 7, 0, Presence("gate"))
    one.begin(panel, at_ms(0))
    panel.did.clear()
    return one


def online(panel: Any) -> Reader:
    one = reader(panel)
    assert [o.seen for o in one.came_online(at_ms(0))] == [Seen.BACK]
    return one


def pass_time(one: Reader, panel: Any, from_ms: int, to_ms: int) -> list[Observation]:
    said = []
    for ms in range(from_ms, to_ms, 10):
        said += one.time_passed(panel, at_ms(ms))
    return said


def test_a_dropped_session_is_begun_again_at_once_and_nobody_was_lost(panel: Any) -> None:
    one = online(panel)
    assert one.dropped(panel, at_ms(1_000)) == []
    assert pass_time(one, panel, 1_000, 1_000 + CYCLE_MS + 20) == []
    assert panel.did == ["flush 0", "disable 0", "enable 0"]
    assert one.came_online(at_ms(1_500)) == []


def test_a_session_that_does_not_come_back_is_a_loss(panel: Any) -> None:
    one = online(panel)
    one.dropped(panel, at_ms(1_000))
    assert pass_time(one, panel, 1_000, 1_000 + GRACE_MS) == []
    said = pass_time(one, panel, 1_000 + GRACE_MS, 60_000)
    assert [o.seen for o in said] == [Seen.LOST]


def test_a_silent_reader_is_lost_once(panel: Any) -> None:
    one = online(panel)
    panel.unanswered = UNANSWERED_COUNT_MAX
    said = pass_time(one, panel, 0, 60_000)
    assert [(o.seen, o.value) for o in said] == [(Seen.LOST, "silent")]
    assert said[0].at == at_ms(SILENCE_MS_MAX)


def test_a_reader_that_was_not_asked_is_not_silent(panel: Any) -> None:
    one = online(panel)
    assert pass_time(one, panel, 0, 60_000) == []


def test_a_reader_that_never_answers_rests_most_of_the_time(panel: Any) -> None:
    one = reader(panel)
    panel.unanswered = UNANSWERED_COUNT_MAX
    said = pass_time(one, panel, 0, 10 * REST_MS)
    assert [o.seen for o in said] == [Seen.LOST]
    assert 9 <= panel.did.count("enable 0") <= 10


def test_a_reader_that_answers_and_never_comes_online_is_begun_again(panel: Any) -> None:
    one = reader(panel)
    said = pass_time(one, panel, 0, HANDSHAKE_MS_MAX + REST_MS + 20)
    assert [(o.seen, o.value) for o in said] == [(Seen.LOST, "no secure channel")]
    assert panel.did == ["flush 0", "disable 0", "enable 0"]


def test_what_was_promised_is_confirmed_or_refused_in_order(panel: Any) -> None:
    one = online(panel)
    one.admits.extend([Admit("gate"), Admit("gate"), Admit("gate")])
    said = one.confirmed(at_ms(1), is_ok=True) + one.confirmed(at_ms(2), is_ok=False)
    said += one.dropped(panel, at_ms(3)) + one.confirmed(at_ms(4), is_ok=True)
    assert [(o.seen, o.value) for o in said] == [
        (Seen.ADMITTED, ""),
        (Seen.REFUSED_BY_DEVICE, "output not driven"),
        (Seen.REFUSED_BY_DEVICE, "lost"),
    ]


def test_a_key_that_was_under_way_when_the_session_ended_may_be_either(panel: Any) -> None:
    reader = Reader(0, 7, 0, Presence("gate"), keys=[b"old"], new_key=b"new")
    reader.online_ns = 0
    (said,) = reader.dropped(panel, at_ms(1))
    assert said.value == "lost; it may have either key"
    assert reader.rekeyed(at_ms(2), is_ok=True) == []
    assert reader.keys == [b"old", b"new"]


@pytest.mark.parametrize(
    ("tries_count", "seen"), [(0, Seen.REFUSED_BY_DEVICE), (1, Seen.REKEYED)], ids=str
)
def test_the_session_that_stands_says_which_of_two_keys_it_is(
    panel: Any, tries_count: int, seen: Seen
) -> None:
    reader = Reader(0, 7, 0, Presence("gate"), keys=[b"old", b"new"], newest_key=b"new")
    for attempt in range(tries_count):
        reader.dropped(panel, at_ms(attempt))
        assert reader.wants_other_key(at_ms(attempt))
        assert not reader.wants_other_key(at_ms(attempt + 1)), "not at once again"
    (said,) = reader.only_key(at_ms(9))
    assert said.seen is seen
    assert reader.only_key(at_ms(9)) == []
    assert not reader.wants_other_key(at_ms(99_999))


def test_a_key_that_was_not_taken_is_forgotten() -> None:
    reader = Reader(0, 7, 0, Presence("gate"), keys=[b"old"], new_key=b"new")
    (kept,) = reader.rekeyed(at_ms(3), is_ok=False)
    assert kept.value == "reader keeps its key"
    assert reader.keys == [b"old"]


def test_a_window_opens_once_and_closes_by_itself(panel: Any) -> None:
    one = reader(panel)
    (opened,) = one.open_window(panel, at_ms(0), 120)
    assert (opened.seen, opened.value) == (Seen.INSTALL_OPENED, "120")
    said = pass_time(one, panel, 0, 121_000)
    assert [(o.seen, o.value) for o in said if o.seen is Seen.INSTALL_CLOSED] == [
        (Seen.INSTALL_CLOSED, "time")
    ]
    assert [o.at for o in said if o.seen is Seen.INSTALL_CLOSED] == [at_ms(120_000)]
    assert [act for act in panel.did if "install" in act] == ["install 0 True", "install 0 False"]
    assert one.close_window(panel, at_ms(122_000), "told") == []


def test_a_window_is_never_longer_than_it_may_be(panel: Any) -> None:
    (opened,) = reader(panel).open_window(panel, at_ms(0), 1_000_000)
    assert opened.value == str(INSTALL_S_MAX)


@pytest.mark.parametrize(
    ("now_ms", "look_ms"), [(0, 10), (41, 51), (42, 52), (51, 53), (60, 62), (62, 72), (500, 510)]
)
def test_it_is_looked_at_just_when_its_next_question_is_due(
    panel: Any, now_ms: int, look_ms: int
) -> None:
    assert online(panel).look_ns(at_ms(now_ms)) == at_ms(look_ms).mono_ns


def test_a_reader_off_line_is_looked_at_by_ticks(panel: Any) -> None:
    assert reader(panel).look_ns(at_ms(45)) == at_ms(55).mono_ns


def test_a_session_that_drops_within_the_window_does_not_forget_who_was_keyed(panel: Any) -> None:
    one = reader(panel)
    one.open_window(panel, at_ms(0), for_s=30)
    one.is_keyed = True
    one.dropped(panel, at_ms(100))
    assert one.is_keyed
    one.close_window(panel, at_ms(200), "told")
    one.open_window(panel, at_ms(300), for_s=30)
    assert not one.is_keyed
