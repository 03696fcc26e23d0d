"""Times follow a boot's anchors, whenever they come; verdicts and pay follow the times."""

import random

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError

from agreed.anchors import Anchor, AnchorSource
from agreed.promises import Verdict
from agreed.records import CLOCK_ANCHOR, ClockState, Evidence, Record, to_columns
from cloud import reads
from cloud.database.engine import open_engine, reading, writing
from cloud.database.migrate import migrate
from cloud.database.times import Boot
from cloud.ingest.commit import ingest_blocks
from cloud.ingest.retiming import BOOTS_REMEMBERED_MAX, Agreements, anchors_in
from cloud.office.boxes import accept_box, add_box
from tests.cloud.world import (
    BOX,
    HOUR,
    LATER,
    MINUTE,
    STREAM,
    T0,
    Chain,
    World,
    alive,
    arrival,
    fact,
    finished,
    passed,
)

UNSET = {"clock_state": ClockState.UNSET, "bound_ms": 0}


def boot_ns(at_ms: int) -> int:
    """The monotonic clock of the test world's only boot at a true time."""
    return (at_ms - T0) * 1_000_000


def in_1970(record: Record) -> Record:
    """The same record of a box whose clock was never set."""
    fields = {name: getattr(record, name) for name in Record.__slots__} | UNSET
    return Record(**fields | {"wall_ms": record.mono_ns // 1_000_000})


def anchor(
    at_ms: int,
    error_ms: int = 5,
    off_ms: int = 0,
    source: AnchorSource = AnchorSource.KERNEL,
    **more: object,
) -> Record:
    true_ns = (at_ms + off_ms) * 1_000_000
    error_ns = error_ms * 1_000_000
    said = Anchor(source, boot_ns(at_ms), true_ns - error_ns, true_ns + error_ns)
    fields = {"device": "", "bound_ms": error_ms, "detail": str(said)}
    return fact(at_ms, CLOCK_ANCHOR, **fields | more)


def times(world: World) -> list[tuple[int, int, int, int]]:
    with reading(world.engine) as connection:
        rows = connection.execute(
            text("SELECT sequence, wall_ms, bound_ms, clock_state FROM corrections ORDER BY 1")
        )
        return [tuple(row) for row in rows]


def test_a_record_of_1970_gets_its_time_from_a_later_anchor_and_is_paid_by_it(
    world: World,
) -> None:
    world.fund(100_000)
    world.order("o-1")
    world.tell(in_1970(passed(T0 + 90 * MINUTE)), in_1970(finished(T0 + 150 * MINUTE, "o-1")))
    assert times(world) == []
    assert world.verdicts("o-1")["finish"] is Verdict.UNDECIDABLE
    paid_in_doubt = world.balance("commission:w-1")
    world.tell(anchor(T0 + 4 * HOUR))
    assert world.verdicts("o-1") == {"arrive": Verdict.LATE, "finish": Verdict.KEPT}
    found = {sequence: (wall, bound, state) for sequence, wall, bound, state in times(world)}
    for sequence, at_ms in ((1, T0 + 90 * MINUTE), (2, T0 + 150 * MINUTE)):
        wall_ms, bound_ms, state = found[sequence]
        assert abs(wall_ms - at_ms) <= bound_ms <= 4_520
        assert state == ClockState.HOLDING
    assert world.balance("commission:w-1") != paid_in_doubt
    assert world.check().is_balanced
    with reading(world.engine) as connection:
        kept = reads.evidence(connection, "acme", "north", "gate-box", (b"e" * 16).hex(), 2)
    assert kept is not None
    assert (kept.record.clock_state, kept.record.wall_ms) == (ClockState.UNSET, 150 * MINUTE)
    assert (kept.corrected_wall_ms, kept.corrected_bound_ms) == found[2][:2]


def test_what_was_missed_is_seen_once_its_time_is_known(world: World) -> None:
    world.order("o-1")
    world.tell(in_1970(passed(T0 + HOUR)))
    world.tell(alive(T0 + 9 * HOUR, mono_ns=boot_ns(T0 + 9 * HOUR)))
    assert world.verdicts("o-1")["arrive"] is Verdict.MISSED
    world.tell(anchor(T0 + 9 * HOUR))
    assert world.verdicts("o-1")["arrive"] is Verdict.KEPT


def test_an_anchor_bounds_what_came_before_and_what_comes_after(world: World) -> None:
    world.tell(anchor(T0))
    world.tell(in_1970(alive(T0 + HOUR)))
    ((_, wall_ms, bound_ms, _),) = times(world)
    assert (wall_ms, bound_ms) == (T0 + HOUR, 1_806)
    world.tell(anchor(T0 + HOUR + MINUTE))
    assert times(world)[0][1:3] == (T0 + HOUR, 36)


def test_another_boot_is_none_of_its_business(world: World) -> None:
    record = in_1970(passed(T0 + HOUR))
    world.send(world.chain.block(record, boot=b"1" * 16))
    world.tell(anchor(T0 + 2 * HOUR))
    assert times(world) == []


def test_contradicting_anchors_leave_everything_undecidable_until_a_majority(
    world: World,
) -> None:
    world.order("o-1")
    world.tell(passed(T0 + HOUR), anchor(T0 + HOUR))
    assert world.verdicts("o-1")["arrive"] is Verdict.KEPT
    world.tell(anchor(T0 + 2 * HOUR, off_ms=HOUR, source=AnchorSource.HEADQUARTERS))
    assert world.verdicts("o-1")["arrive"] is Verdict.UNDECIDABLE
    with reading(world.engine) as connection:
        (box,) = reads.boxes(connection, "acme")
    assert box.incident == "clocks"
    world.tell(anchor(T0 + 3 * HOUR))
    assert world.verdicts("o-1")["arrive"] is Verdict.KEPT
    assert [row for row in times(world) if row[3] == ClockState.UNSET] == []


def test_a_claim_by_hand_keeps_its_own_time(world: World) -> None:
    claim = passed(T0 + HOUR, evidence=Evidence.MANUAL, mono_ns=0, bound_ms=60_000)
    world.tell(claim, anchor(T0 + 5 * HOUR))
    assert times(world) == []


def test_only_the_box_itself_says_what_time_it_is() -> None:
    rows = [
        anchor(T0),
        fact(T0, CLOCK_ANCHOR, device="gate-1", detail=anchor(T0).detail),
        anchor(T0, evidence=Evidence.MANUAL),
        fact(T0, CLOCK_ANCHOR, device="", detail="nonsense"),
    ]
    numbered = [
        Record(**{n: getattr(r, n) for n in Record.__slots__} | {"sequence": s})
        for s, r in enumerate(rows, 1)
    ]
    assert list(anchors_in(to_columns(numbered))) == [1]


@pytest.mark.parametrize("seed", range(6))
def test_neither_the_cuts_nor_the_order_of_arrival_show(seed: int) -> None:
    outcomes = []
    for arrangement in range(3):
        dice = random.Random(seed)
        facts = {box: _history(dice) for box in ("gate-box", "other-box")}
        outcomes.append(_play(facts, random.Random(seed * 10 + arrangement)))
    assert outcomes[0] == outcomes[1] == outcomes[2]
    assert outcomes[0][0]


def _history(dice: random.Random) -> list[Record]:
    found = []
    for minute in range(0, 300, 10):
        at_ms = T0 + minute * MINUTE
        record = passed(at_ms, f"w-{dice.randint(1, 2)}", mono_ns=boot_ns(at_ms))
        found.append(record if dice.random() < 0.5 else in_1970(record))
        if dice.random() < 0.15:
            off_ms = HOUR if dice.random() < 0.2 else 0
            found.append(anchor(at_ms, dice.randint(1, 2_000), off_ms))
    return found


def _play(facts: dict[str, list[Record]], dice: random.Random) -> tuple[object, object]:
    engine = open_engine("sqlite:///:memory:")
    migrate(engine)
    world = World(engine)
    other = BOX._replace(box="other-box")
    add_box(engine, other, STREAM, T0)
    accept_box(engine, other, STREAM, T0)
    world.know(other)
    for number in range(4):
        world.order(f"o-{number}", T0 + number * HOUR, worker=f"w-{1 + number % 2}")
    waiting = {
        BOX: _cut(facts["gate-box"], BOX, dice),
        other: _cut(facts["other-box"], other, dice),
    }
    while any(waiting.values()):
        box = dice.choice([box for box, blocks in waiting.items() if blocks])
        count = dice.randint(1, 3)
        batch = [waiting[box].pop(0) for _ in range(min(count, len(waiting[box])))]
        ingest_blocks(engine, [arrival(data, box=box) for data in batch], T0 + 10 * HOUR)
    with reading(engine) as connection:
        rows = connection.execute(text("SELECT * FROM corrections ORDER BY box, sequence")).all()
    return [tuple(r) for r in rows], [world.verdicts(f"o-{number}") for number in range(4)]


def _cut(records: list[Record], box: object, dice: random.Random) -> list[bytes]:
    chain = Chain(box)  # type: ignore[arg-type]
    blocks, start = [], 0
    while start < len(records):
        stop = start + dice.randint(1, 6)
        blocks.append(chain.block(*records[start:stop]))
        start = stop
    return blocks


def test_the_database_keeps_anchors_as_they_came(world: World) -> None:
    world.tell(anchor(T0))
    for attack in ("UPDATE anchors SET lo_ns = 0", "DELETE FROM anchors"):
        with pytest.raises(DBAPIError), writing(world.engine) as connection:
            connection.execute(text(attack))


def test_anchors_are_read_once_and_again_when_there_are_more(small_world: World) -> None:
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    event.listen(small_world.engine, "before_cursor_execute", note)
    agreements = Agreements()

    def reads_anchors(*records: Record) -> bool:
        asked.clear()
        arrived = [arrival(small_world.chain.block(*records))]
        ingest_blocks(small_world.engine, arrived, LATER, agreements)
        return any(one.startswith("SELECT") and "anchors.lo_ns" in one for one in asked)

    assert reads_anchors(anchor(T0))
    assert reads_anchors(in_1970(passed(T0 + MINUTE)))
    assert not reads_anchors(in_1970(passed(T0 + 2 * MINUTE)))
    assert reads_anchors(anchor(T0 + 3 * MINUTE))
    assert reads_anchors(in_1970(passed(T0 + 4 * MINUTE)))
    assert not reads_anchors(in_1970(passed(T0 + 5 * MINUTE)))
    with reading(small_world.engine) as connection:
        corrected = connection.execute(text("SELECT count(*) FROM corrections")).scalar_one()
    assert corrected == 4


def test_few_boots_are_remembered(small_world: World) -> None:
    agreements = Agreements()
    with reading(small_world.engine) as connection:
        boots = [Boot(BOX, bytes([number]) * 16) for number in range(BOOTS_REMEMBERED_MAX + 2)]
        first = [agreements.of(connection, boot) for boot in boots]
        again = [agreements.of(connection, boot) for boot in reversed(boots)]
    same = [one is two for one, two in zip(first, reversed(again), strict=True)]
    assert same == [False, False] + [True] * BOOTS_REMEMBERED_MAX
