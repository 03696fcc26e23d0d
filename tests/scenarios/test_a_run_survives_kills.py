"""A settlement that is killed again and again posts what an undisturbed one posts."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from cloud.database.engine import open_engine, reading, sqlite_url
from cloud.database.migrate import migrate
from cloud.office.plans import publish_plan
from cloud.office.refunding import RefundRequest, refund_order
from cloud.settlement.plans import Plan
from tests.cloud.office.test_settling import MONTH, NOW
from tests.cloud.settlement.small_month import plan
from tests.cloud.world import HOUR, PLACE, T0, World, alive, finished, passed

pytestmark = pytest.mark.scenario
ROOT = Path(__file__).parents[2]
STEPS = """
import sys
from cloud.database.engine import open_engine
from cloud.database.fleet import Place
from cloud.office.people import Duty, Person
from cloud.office.refusals import ConflictError
from cloud.office.settling import Settling
url, month, now_ms = sys.argv[1], sys.argv[2], int(sys.argv[3])
lin = Person("lin", "Lin", frozenset({Duty.CLERK}))
wang = Person("wang", "Wang", frozenset({Duty.APPROVER}))
desk = Settling(open_engine(url), Place("acme", "north"))
print("ready", flush=True)
for act, who in [(desk.preview, lin), (desk.review, lin), (desk.approve, wang),
                 (desk.post, lin), (desk.pay, lin)]:
    try:
        act(month, who, now_ms)
    except ConflictError:
        pass  # it was done before the kill
    print(act.__name__, flush=True)
"""


PLANNED = plan(
    from_period=MONTH,
    tiers={
        "mode": "marginal",
        "bands": [
            {"from_fen": 0, "to_fen": 50_000, "rate_bp": 10_000},
            {"from_fen": 50_000, "rate_bp": 11_000},
        ],
    },
    override={"share_bp": 500},
    middle_bonus={"base_fen": 9_000, "target_bp": 9_000, "cap_bp": 11_000},
    draws=[{"role": "guard", "guaranteed_fen": 7_000, "is_recoverable": True}],
    staff=[
        {"worker": "w-1", "role": "cleaner", "team": "east"},
        {"worker": "w-2", "role": "guard", "team": "east"},
    ],
    teams=[{"team": "east", "leader": "w-2", "manager": "m-1"}],
)


def filled(path: Path, in_force: Plan | None) -> str:
    url = sqlite_url(path)
    engine = open_engine(url)
    migrate(engine)
    world = World(engine)
    for number in range(40):
        world.order(f"o-{number}", at_ms=T0 + number * 3 * HOUR)
    world.fund(1_000_000)
    if in_force is not None:
        publish_plan(engine, "acme", in_force, "boss", T0)
        refund = RefundRequest(key="back", cause="leaked again")
        refund_order(engine, PLACE, "o-7", refund, NOW)
    world.tell(
        *(passed(T0 + number * 3 * HOUR) for number in range(40)),
        *(finished(T0 + number * 3 * HOUR + HOUR, f"o-{number}") for number in range(40)),
        alive(T0 + 125 * HOUR),
    )
    engine.dispose()
    return url


def started(url: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", STEPS, url, MONTH, str(NOW)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def finished_alone(url: str) -> None:
    with started(url) as child:
        said, _ = child.communicate(timeout=120)
    assert child.returncode == 0
    assert said.splitlines()[-1] == "pay"


def posted(url: str) -> list[tuple[object, ...]]:
    engine = open_engine(url)
    with reading(engine) as connection:
        found = [
            tuple(row)
            for query in (
                "SELECT transfer, key, kind, debit, credit, amount_fen, period FROM transfers",
                "SELECT period, run, status, hash FROM runs",
                "SELECT run, act, status, who FROM run_acts",
                "SELECT account, credits_fen - debits_fen FROM accounts ORDER BY account",
            )
            for row in connection.execute(text(query))
        ]
    engine.dispose()
    return found


@pytest.mark.parametrize("in_force", [None, PLANNED], ids=["piece rates", "a plan in force"])
def test_kills_change_nothing(tmp_path: Path, in_force: Plan | None) -> None:
    calm, killed = (filled(tmp_path / name, in_force) for name in ("calm.db", "killed.db"))
    finished_alone(calm)
    dice = random.Random(3)
    for _ in range(6):
        child = started(killed)
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        for _ in range(dice.randrange(3)):
            child.stdout.readline()
        time.sleep(dice.random() * 0.05)
        child.kill()  # SIGKILL
        child.wait(60)
        child.stdout.close()
    finished_alone(killed)
    assert posted(killed) == posted(calm)
    assert any("paid" in row for row in posted(killed))
    has_plan = any("settlement" in row for row in posted(killed))
    assert has_plan is (in_force is not None)
