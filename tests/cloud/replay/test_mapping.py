import pytest

from agreed.words import RemedyError
from cloud.replay.mapping import Place, Source, read_mapping, read_span_ms
from cloud.replay.timestamps import EpochUnit
from tests.cloud.replay.logs import MAPPING, RECEIPT_MAPPING, mapping


@pytest.mark.parametrize(
    ("text", "span_ms"),
    [("0s", 0), ("500ms", 500), ("45s", 45_000), ("2h30m", 9_000_000), ("30d", 2_592_000_000)],
)
def test_spans(text: str, span_ms: int) -> None:
    assert read_span_ms(text) == span_ms


@pytest.mark.parametrize("text", ["", "5", "5 d", "-1d", "1.5h", "1w", "7321d", 5, None])
def test_what_is_no_span_says_so(text: object) -> None:
    with pytest.raises(ValueError, match=r"span such as|twenty years"):
        read_span_ms(text)


def test_a_mapping_and_what_it_leaves_out() -> None:
    how = mapping()
    assert how.promise[1].actual == Source(event=Place.FIRST, step="arrive")
    assert how.promise[0].tolerance == 600_000
    assert how.time.form.epoch is EpochUnit.MILLISECONDS
    assert how.time.form.zone is None
    assert how.file.delimiter == ","


def test_the_sample_is_valid() -> None:
    assert len(read_mapping(RECEIPT_MAPPING.read_bytes(), "receipt.toml").promise) == 4


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('case = "order"', "", "columns.case is missing; add it."),
        ('site = "north"', 'site = "North 1"', "m.toml: site may only hold"),
        ('site = "north"', 'colour = "red"', "There is no field colour"),
        ('"1h10m"', '"1h10"', "promise.1.hard_limit: write a span"),
        ('"1h10m"', '"5m"', "promise.1.hard_limit"),
        ('"arrived"', '"closed"', "two are named closed"),
        ('"arrived"', '"Arrived!"', "promise.2.name may only hold"),
        ('"arrived"', f'"{"a" * 33}"', "promise.2.name may only hold"),
        ('"1h10m"', '"90s"', "promise.1.hard_limit: a pack promises in whole minutes"),
        ('{ column = "closed" }', "{ }", "promise.1.actual: give either a column or an event"),
        ('{ column = "closed" }', '{ column = "closed", event = "last" }', "promise.1.actual"),
        ('{ column = "closed" }', '{ column = "closed", step = "x" }', "step goes with event"),
        ('{ event = "last" }', '{ event = "middle" }', "promise.3.actual.event"),
        ('epoch = "ms"', 'epoch = "weeks"', "time.epoch"),
        ('epoch = "ms"', 'time_zone = "Mars/Base"', "time.time_zone: not a known zone"),
        ('epoch = "ms"', 'time_zone = "../etc"', "time.time_zone: not a known zone"),
        ("[pack]", "[pack", "is not TOML"),
        ("price_fen = 100_00", "price_fen = -1", "pack.price_fen"),
        ("pool_bp = 5_000", "pool_bp = 10_001", "pack.pool_bp"),
        ("pool_bp = 5_000", "pool_bp = 0\nsupplier_cost_fen = 1", "pack.supplier: name who"),
        ("price_fen = 100_00", 'price_fen = 0\nsupplier = "s"\nsupplier_cost_fen = 1', "price_fen"),
    ],
)
def test_a_wrong_mapping_names_the_field(old: str, new: str, why: str) -> None:
    assert old in MAPPING
    data = MAPPING.replace(old, new, 1).encode()
    with pytest.raises(RemedyError) as caught:
        read_mapping(data, "m.toml")
    assert why in str(caught.value)
    assert "m.toml" in str(caught.value)


def test_a_mapping_in_another_encoding_says_so() -> None:
    with pytest.raises(RemedyError, match="is not UTF-8"):
        read_mapping('site = "小区"'.encode("gb18030"), "m.toml")


def test_every_promise_is_proved_by_a_kind_of_record_of_its_own() -> None:
    kinds = [rule.node_kind for rule in mapping().promise]
    assert kinds == ["import: closed", "import: arrived", "import: last-step"]


def test_the_pack_as_headquarters_publishes_it() -> None:
    pack = mapping().to_pack()
    assert (pack.key, pack.name_zh, pack.name_en) == ("repair", "repair", "repair")
    assert (pack.price_fen, pack.pool_bp) == (10_000, 5_000)
    assert [(n.key, n.tolerance_minutes, n.hard_minutes, n.rate_fen) for n in pack.nodes] == [
        ("closed", 10, 70, 1000),
        ("arrived", 0, 120, 333),
        ("last-step", 0, 120, 77),
    ]


@pytest.mark.parametrize("value", ["9" * 5_000, "[" * 5_000])
def test_toml_that_its_parser_cannot_bear_says_so(value: str) -> None:
    with pytest.raises(RemedyError, match=r"m\.toml"):
        read_mapping(f"site = {value}".encode(), "m.toml")
