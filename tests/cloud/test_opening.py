import time
from pathlib import Path

import pytest

from agreed.machine import SimulatedDay
from agreed.words import RemedyError, language
from cloud.database.engine import open_engine
from cloud.database.migrate import migrate
from cloud.office.sites import known_companies
from cloud.opening import (
    SIMULATED_DAY,
    Settings,
    broker_address,
    company_to_serve,
    listen,
    open_store,
    wall_clock,
)


@pytest.fixture(autouse=True)
def _english() -> None:
    language.set("en")


def test_a_played_day_runs_fast_but_resends_do_not() -> None:
    day = SimulatedDay(1_800_000_000 * 10**9, time.monotonic_ns(), 1000)
    clock = wall_clock({SIMULATED_DAY: str(day)})
    before_ms, before_ns = clock.wall_ms(), clock.mono_ns()
    assert 1_800_000_000_000 <= before_ms < 1_800_000_000_000 + 600_000_000
    time.sleep(0.01)
    assert clock.wall_ms() - before_ms >= 10_000
    assert clock.mono_ns() - before_ns < 60 * 10**9
    with pytest.raises(RemedyError, match=SIMULATED_DAY):
        wall_clock({SIMULATED_DAY: "noon"})
    before_ns = time.time_ns()
    assert before_ns <= wall_clock({}).wall_ns() <= time.time_ns()


@pytest.mark.parametrize("url", ["", "mysql://h/x", "nonsense", "sqlite:////nowhere/at/all.db"])
def test_a_store_that_cannot_be_opened_is_one_sentence(url: str, tmp_path: Path) -> None:
    with pytest.raises(RemedyError):
        open_store(url, tmp_path)


def test_a_database_that_does_not_answer_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(RemedyError, match="does not answer"):
        open_store(f"postgresql:///x?host={tmp_path}", tmp_path)


def test_another_broker_is_read() -> None:
    address = broker_address("mqtt://us%40er:p%3Aw@host")
    assert (address.host, address.port) == ("host", 1883)
    assert (address.user, address.password) == ("us@er", "p:w")
    assert broker_address("mqtt://h:7").user is None
    for wrong in ("http://h", "mqtt://", "mqtt://h:x", "mqtt://h/path"):
        with pytest.raises(RemedyError, match="--broker"):
            broker_address(wrong)


def test_the_company_is_the_one_that_is_there() -> None:
    engine = open_engine("sqlite://")
    migrate(engine)
    named = Settings(Path(), company="acme", sites=("north",))
    assert company_to_serve(engine, named, 1) == "acme"
    assert company_to_serve(engine, named, 1) == "acme"
    assert company_to_serve(engine, Settings(Path()), 1) == "acme"
    assert known_companies(engine) == ["acme"]
    engine.dispose()


def test_a_port_is_taken() -> None:
    with listen("127.0.0.1", 0) as listening:
        listening.listen()
        with pytest.raises(RemedyError):
            listen("127.0.0.1", listening.getsockname()[1])
