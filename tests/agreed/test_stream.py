"""The numbered stream: everything arrives once and in order over a line that misbehaves."""

import random
from hashlib import sha256

from hypothesis import given, settings
from hypothesis import strategies as st

from agreed.limits import RESEND_MS_MAX, RESEND_MS_MIN, WINDOW_BYTES_MAX, WINDOW_ITEMS_MAX
from agreed.machine import NS_PER_MS
from agreed.stream import Outcome, Sender, receive


def sender(available: int = 100, welcomed: int | None = 0) -> Sender:
    made = Sender(jitter=lambda: 0.0)
    made.available(available)
    if welcomed is not None:
        made.welcomed(welcomed, 0)
    return made


def send(made: Sender, count: int, size_bytes: int = 10, now_ns: int = 0) -> list[int]:
    sent = []
    for _ in range(count):
        after = made.next_after()
        if after is None:
            break
        made.sent(after + 1, size_bytes, now_ns)
        sent.append(after + 1)
    return sent


def test_nothing_is_sent_before_the_far_end_said_where_it_is() -> None:
    assert sender(welcomed=None).next_after() is None
    assert sender(welcomed=40).next_after() == 40


def test_the_window_bounds_items_and_bytes() -> None:
    assert len(send(sender(1000), 1000)) == WINDOW_ITEMS_MAX
    assert len(send(sender(1000), 1000, size_bytes=WINDOW_BYTES_MAX // 4)) == 4


def test_an_acknowledgement_makes_room_and_an_old_one_changes_nothing() -> None:
    made = sender(1000)
    send(made, 1000)
    made.acknowledged_through(10, 0, is_resend=False)
    assert len(send(made, 1000)) == 10
    made.acknowledged_through(3, 0, is_resend=False)
    assert (made.acknowledged, made.next_after()) == (10, None)


def test_an_acknowledgement_beyond_what_exists_is_ignored() -> None:
    made = sender(5)
    made.acknowledged_through(6, 0, is_resend=False)
    assert made.acknowledged == 0


def test_silence_sends_again_later_and_later() -> None:
    made = sender(3)
    now_ns, waits_ms = 0, []
    for _ in range(8):
        assert send(made, 9, now_ns=now_ns) == [1, 2, 3]
        deadline_ns = made.deadline_ns()
        assert deadline_ns is not None
        waits_ms.append((deadline_ns - now_ns) // NS_PER_MS)
        made.time_passed(deadline_ns - 1)
        assert made.next_after() is None
        now_ns = deadline_ns
        made.time_passed(now_ns)
    assert waits_ms[0] == RESEND_MS_MIN
    assert waits_ms == sorted(waits_ms)
    assert waits_ms[-1] == RESEND_MS_MAX


def test_a_far_end_that_answers_late_is_given_time() -> None:
    made = sender(100)
    send(made, 4)
    late_ns = (RESEND_MS_MIN - 1) * NS_PER_MS
    made.acknowledged_through(1, late_ns, is_resend=False)
    deadline_ns = made.deadline_ns()
    assert deadline_ns == late_ns + 3 * late_ns
    # It answers quickly again, and silence is noticed sooner, step by step.
    now_ns = late_ns
    for through in range(2, 40):
        send(made, 4, now_ns=now_ns)
        now_ns += NS_PER_MS
        made.acknowledged_through(through, now_ns, is_resend=False)
    assert made.deadline_ns() == now_ns + RESEND_MS_MIN * NS_PER_MS


def test_nothing_in_flight_wants_no_waking() -> None:
    made = sender(2)
    assert made.deadline_ns() is None
    send(made, 2)
    made.acknowledged_through(2, 0, is_resend=False)
    assert made.deadline_ns() is None


def test_a_request_goes_back_once_however_often_it_is_made() -> None:
    made = sender(10)
    send(made, 5)
    made.acknowledged_through(1, 0, is_resend=True)
    assert send(made, 4) == [2, 3, 4, 5]
    made.acknowledged_through(1, 1, is_resend=True)
    assert made.next_after() == 5
    made.acknowledged_through(1, RESEND_MS_MIN * NS_PER_MS, is_resend=True)
    assert made.next_after() == 1


def test_only_what_is_missing_is_sent_again() -> None:
    made = sender(20)
    send(made, 10)
    made.acknowledged_through(2, 0, is_resend=True, missing_through=5)
    assert made.acknowledged == 2
    assert made.wanted_through() == 5
    assert send(made, 3) == [3, 4, 5]
    assert (made.wanted_through(), send(made, 2)) == (20, [11, 12])
    # Asked for nothing beyond: all of it again.
    made.acknowledged_through(2, RESEND_MS_MIN * NS_PER_MS, is_resend=True, missing_through=0)
    assert send(made, 3) == [3, 4, 5]


def test_a_repair_ends_when_it_is_no_longer_needed() -> None:
    made = sender(20)
    send(made, 10)
    made.acknowledged_through(2, 0, is_resend=True, missing_through=6)
    assert send(made, 1) == [3]
    made.acknowledged_through(4, 0, is_resend=False)
    assert send(made, 1) == [5]
    made.acknowledged_through(9, 0, is_resend=False)
    assert send(made, 1) == [11]


def test_a_repair_goes_first_even_if_the_window_is_full() -> None:
    made = sender(1_000)
    sent = send(made, 1_000)
    assert made.next_after() is None
    made.acknowledged_through(0, 0, is_resend=True, missing_through=3)
    assert send(made, 5) == [1, 2, 3]
    made.acknowledged_through(len(sent), 0, is_resend=False)
    assert made.next_after() == len(sent)


def test_a_broken_connection_forgets_the_flight_and_waits_for_a_welcome() -> None:
    made = sender(10)
    send(made, 5)
    made.disconnected()
    assert (made.next_after(), made.deadline_ns()) == (None, None)
    made.welcomed(2, 0)
    assert made.next_after() == 2


def digest(position: int) -> bytes:
    return sha256(str(position).encode()).digest() if position else bytes(32)


def test_the_receiver_decides_in_order_of_precedence() -> None:
    def outcome(first: int, last: int, previous: bytes) -> Outcome:
        return receive(through=5, head=digest(5), first=first, last=last, previous=previous)

    assert outcome(6, 8, digest(5)) is Outcome.ACCEPTED
    assert outcome(6, 8, digest(4)) is Outcome.FORKED
    assert outcome(7, 8, digest(5)) is Outcome.AHEAD
    assert outcome(4, 5, digest(3)) is Outcome.DUPLICATE
    assert outcome(4, 7, digest(3)) is Outcome.FORKED


class World:
    """A sender, a receiver, and a line between them that misbehaves by seed."""

    def __init__(self, seed: int, items: int) -> None:
        self.dice = random.Random(seed)
        self.sender = Sender(jitter=self.dice.random)
        self.sender.available(items)
        self.through = 0
        self.accepted: list[int] = []
        self.up: list[int] = []
        self.down: list[tuple[int, bool]] = []
        self.now_ns = 0

    def step(self) -> None:
        self.now_ns += self.dice.randrange(50) * NS_PER_MS
        self.sender.time_passed(self.now_ns)
        if self.dice.random() < 0.01:
            self.sender.disconnected()
            self.up.clear()
        if self.dice.random() < 0.05 or self.sender.deadline_ns() is None:
            self.sender.welcomed(self.through, self.now_ns)
        while (after := self.sender.next_after()) is not None:
            self.sender.sent(after + 1, 1000, self.now_ns)
            self.up.extend([after + 1] * self.dice.choice([0, 1, 1, 1, 2]))
        self.deliver_up()
        self.dice.shuffle(self.down)
        while self.down:
            through, is_resend = self.down.pop()
            self.sender.acknowledged_through(through, self.now_ns, is_resend=is_resend)

    def deliver_up(self) -> None:
        self.dice.shuffle(self.up)
        for _ in range(min(len(self.up), self.dice.randrange(8))):
            item = self.up.pop()
            got = receive(
                through=self.through,
                head=digest(self.through),
                first=item,
                last=item,
                previous=digest(item - 1),
            )
            assert got is not Outcome.FORKED
            if got is Outcome.ACCEPTED:
                self.through = item
                self.accepted.append(item)
            if self.dice.random() < 0.8:
                self.down.append((self.through, got is Outcome.AHEAD))


@settings(max_examples=60)
@given(st.integers(0, 2**32), st.integers(1, 200))
def test_everything_arrives_once_and_in_order(seed: int, items: int) -> None:
    world = World(seed, items)
    for _ in range(200_000):
        if world.through == items and world.sender.acknowledged == items:
            break
        world.step()
    assert world.accepted == list(range(1, items + 1))
    assert world.sender.acknowledged == items
