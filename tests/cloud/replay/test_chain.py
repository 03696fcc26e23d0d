from agreed.records import ClockState, Evidence, Record, to_records
from agreed.wire import NO_HASH, decode_block
from cloud.replay.cases import CasePromise, Fact
from cloud.replay.chain import BLOCK_RECORDS, Chain, origin_of
from cloud.replay.events import Event
from tests.cloud.replay.logs import mapping

DIGEST = bytes(range(32))


def event(line: int) -> Event:
    return Event(line, f"o{line}", "arrive", "w1", 1_000 * line, ())


def test_events_become_records_of_an_import() -> None:
    origin = origin_of(mapping(), DIGEST)
    chain = Chain(origin, 60_000)
    assert chain.add_event(event(2)) is None
    data = chain.close()
    assert data is not None
    block = decode_block(data)
    assert (block.origin, block.previous) == (origin, NO_HASH)
    assert (origin.company, origin.site, origin.box) == ("yuehua", "north", "replay")
    assert to_records(block.columns) == [
        Record(
            1,
            0,
            2_000,
            60_000,
            ClockState.HOLDING,
            Evidence.MANUAL,
            "import",
            "arrive",
            "w1",
            "o2",
            "line 2",
        )
    ]
    assert chain.close() is None


def test_a_known_fact_is_a_record_of_its_own() -> None:
    closed = mapping().promise[0]
    chain = Chain(origin_of(mapping(), DIGEST), 0)
    fact = Fact(5_000, 7, "w2")
    chain.add_fact(CasePromise("o1", closed, 0, 0, fact, ""))
    chain.add_fact(CasePromise("o1", closed, 0, 0, None, ""))
    assert chain.last_sequence == 1
    data = chain.close()
    assert data is not None
    (record,) = to_records(decode_block(data).columns)
    assert (record.node_kind, record.wall_ms) == ("import: closed", 5_000)
    assert (record.subject, record.reference, record.detail) == ("w2", "o1", "line 7")


def test_full_blocks_follow_one_another() -> None:
    chain = Chain(origin_of(mapping(), DIGEST), 0)
    given = [chain.add_event(event(i + 2)) for i in range(2 * BLOCK_RECORDS + 1)] + [chain.close()]
    blocks = [decode_block(data) for data in given if data is not None]
    assert [len(b.columns) for b in blocks] == [BLOCK_RECORDS, BLOCK_RECORDS, 1]
    assert [b.previous for b in blocks] == [NO_HASH, blocks[0].hash, blocks[1].hash]


def test_the_widest_texts_fit_a_block() -> None:
    chain = Chain(origin_of(mapping(), DIGEST), 0)
    data = None
    for i in range(BLOCK_RECORDS):
        text = f"{i:021}" + "".join(
            chr(0x4E00 + (i * 7919 + k * 104_729) % 20_000) for k in range(14)
        )
        data = chain.add_event(Event(i + 2, text, text[::-1][:28], text[1:], i * 2**30, ()))
    assert data is not None
    assert len(decode_block(data).columns) == BLOCK_RECORDS


def test_the_same_log_under_the_same_mapping_is_the_same_chain() -> None:
    how = mapping()
    same = mapping("# a remark\n")
    other_log = origin_of(how, DIGEST[::-1])
    other_reading = origin_of(mapping('rename = { a = "b" }\n'), DIGEST)
    rule = how.promise[0].model_copy(update={"piece_rate_fen": 1})
    other_rate = origin_of(how.model_copy(update={"promise": [rule, *how.promise[1:]]}), DIGEST)
    assert origin_of(how, DIGEST) == origin_of(same, DIGEST)
    origins = (origin_of(how, DIGEST), other_log, other_reading, other_rate)
    assert len({o.epoch for o in origins}) == 4
