"""Random histories of a headquarters with crashes, against a reference that adds up afresh."""

import argparse
import json
import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine, event, func, select

from agreed.money import scaled
from agreed.promises import Verdict
from agreed.records import Record
from cloud import reads
from cloud.database import run_books, schema
from cloud.database.engine import open_engine, reading, sqlite_url, writing
from cloud.database.fleet import BoxName, Place
from cloud.database.keys import BY_PERSON, pin_key
from cloud.database.migrate import migrate
from cloud.database.month_statements import month_statement
from cloud.database.month_sums import forget
from cloud.ingest.commit import ingest_blocks
from cloud.office.boxes import accept_box, add_box
from cloud.office.disputing import DecisionRequest, DisputeRequest, decide_dispute, open_dispute
from cloud.office.money import FundingRequest, fund_pool
from cloud.office.orders import OrderRequest, cancel_order, create_orders, publish_pack
from cloud.office.people import Duty, Person
from cloud.office.planned import plan_additions
from cloud.office.plans import publish_plan
from cloud.office.refusals import OfficeError
from cloud.office.settling import Settling
from cloud.office.sites import SiteRequest, WorkerRequest, open_company, open_site, put_workers
from cloud.settlement.packs import Pack
from cloud.settlement.periods import after, period_of, span_ms
from cloud.settlement.plans import Plan
from edge.key import make_key
from simulators.telling import Telling, fact

COMPANY: Final = "acme"
PLACE: Final = Place(COMPANY, "north")
BOXES: Final = tuple(BoxName(COMPANY, "north", f"box-{number}") for number in range(3))
WORKERS: Final = tuple(f"w-{number}" for number in range(4))
FIRST_MONTH: Final = "2026-03"
MONTHS_MAX: Final = 3
"""Closed months within a history: all of them are still restated by themselves."""

MINUTE_MS: Final = 60_000
KEY: Final = make_key(b"k" * 32)
CRASH_SHARE: Final = 0.2
STATEMENTS_MAX: Final = 30
CLERK: Final = Person("lin", "Lin", frozenset({Duty.CLERK}))
APPROVER: Final = Person("wang", "Wang", frozenset({Duty.APPROVER}))
PACK: Final = Pack.model_validate(
    {
        "key": "cleaning",
        "name_zh": "清洗",
        "name_en": "Cleaning",
        "supplier": "clean-co",
        "price_fen": 9_999,
        "supplier_cost_fen": 3_333,
        "platform_bp": 617,
        "pool_bp": 6_111,
        "nodes": [
            {
                "key": key,
                "name_zh": key,
                "name_en": key,
                "node_kind": kind,
                "match": match,
                "offset_minutes": offset,
                "tolerance_minutes": 10,
                "hard_minutes": 70,
                "rate_fen": rate,
            }
            for key, kind, match, offset, rate in (
                ("arrive", "gate_passed", "worker", 0, 701),
                ("finish", "task_finished", "order", 90, 1_503),
            )
        ],
    }
)

PLAN: Final = Plan.model_validate(
    {
        "key": "shares",
        "name_zh": "分成方案",
        "name_en": "Shares",
        "from_period": FIRST_MONTH,
        "waterfall": {"retained_bp": 3_889, "front_line_bp": 6_111},
        "recovery": {"cap_bp": 2_000, "takes_back_refunded": False},
    }
)
"""It shares new profit as the pack does and pays nodes as the pack does, so that what is due
remains a sum over verdicts; what a preview keeps and reads again is all that a plan needs."""


class CrashError(Exception):
    """The process is gone; what was not committed never happened."""


@dataclass
class Box:
    """A box's journal: where its chain is, and what it has not sent yet."""

    telling: Telling
    waiting: list[Record] = field(default_factory=list)

    @property
    def name(self) -> BoxName:
        """Say which box it is."""
        return self.telling.name


@dataclass
class History:
    """One headquarters and everything that happens to it.

    Args:
        engine: an empty, migrated store.
        dice: seeded.
        operations: how many are to come; the months are spread over them.
    """

    engine: Engine
    dice: random.Random
    operations: int
    now_ms: int = 0
    month: str = FIRST_MONTH
    closed: int = 0
    orders: list[tuple[str, str, int]] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=lambda: [Box(Telling(name, KEY)) for name in BOXES])
    counts: dict[str, int] = field(default_factory=dict)
    crashes: int = 0

    def begin(self) -> None:
        """Open company, site, boxes, workers and pack."""
        self.now_ms = span_ms(FIRST_MONTH, 480)[0] + 24 * 60 * MINUTE_MS
        open_company(self.engine, COMPANY, COMPANY, self.now_ms)
        open_site(self.engine, COMPANY, SiteRequest(site=PLACE.site, name="North"), self.now_ms)
        for box in self.boxes:
            stream = box.name.box.encode().ljust(16, b".")
            add_box(self.engine, box.name, stream, self.now_ms)
            accept_box(self.engine, box.name, stream, self.now_ms)
            with writing(self.engine) as connection:
                pin_key(connection, box.name, KEY.public, BY_PERSON, self.now_ms)
        workers = [WorkerRequest(worker=worker, name=worker) for worker in WORKERS]
        put_workers(self.engine, PLACE, workers, self.now_ms)
        publish_pack(self.engine, COMPANY, PACK, self.now_ms)
        publish_plan(self.engine, COMPANY, PLAN, "lin", self.now_ms)

    def step(self) -> None:
        """Do one thing; sometimes the process dies in the middle and does it again."""
        acts = [self._order, self._fact, self._fact, self._send, self._send, self._fund]
        acts += [self._dispute, self._cancel, self._preview]
        ends = self.dice.random() < 4 / self.operations
        act = self._end_month if ends else self.dice.choice(acts)
        self.now_ms += self.dice.randrange(5) * MINUTE_MS
        self.counts[act.__name__] = self.counts.get(act.__name__, 0) + 1
        act()

    def finish(self) -> None:
        """Let every box speak, fund the pool, and settle what is over."""
        for box in self.boxes:
            self._send(box)
        self._again(lambda: self._pay_in(10**9))

    def faults(self) -> list[str]:
        """Compare the books with sums of their own; nothing may be made or lost."""
        with reading(self.engine) as connection:
            found = list(reads.ledger_check(connection, COMPANY).faults)
            held = {a.account: a.balance_fen for a in reads.accounts(connection, COMPANY)}
            due = self._due(connection)
            paid = self._paid(connection)
            for worker in WORKERS:
                books_fen = held.get(f"commission:{worker}", 0) + paid.get(worker, 0)
                books_fen += held.get(f"receivable:{worker}", 0)
                if books_fen != due.get(worker, 0):
                    found.append(f"{worker}: books {books_fen} fen, due {due.get(worker, 0)} fen")
                found += self._torn(connection, worker)
        found += self._kept_wrong()
        owed_fen = sum(fen for name, fen in held.items() if name.startswith("receivable:"))
        if owed_fen + held.get("unrecovered", 0):
            found.append(f"owed {-owed_fen} fen, fenced {held.get('unrecovered', 0)} fen")
        return found

    def _due(self, connection: Any) -> dict[str, int]:
        promises, disputes = schema.promises, schema.disputes
        due: dict[str, int] = {}
        for row in connection.execute(select(promises)):
            if row.verdict != Verdict.OPEN:
                fen = scaled(row.rate_fen, row.score_bp)
                due[row.worker] = due.get(row.worker, 0) + fen
        for row in connection.execute(select(disputes)):
            due[row.worker] = due.get(row.worker, 0) + row.amount_fen
        return due

    def _paid(self, connection: Any) -> dict[str, int]:
        transfers = schema.transfers
        query = select(transfers.c.debit, func.sum(transfers.c.amount_fen)).where(
            transfers.c.kind == "payout"
        )
        rows = connection.execute(query.group_by(transfers.c.debit))
        return {name.partition(":")[2]: int(fen) for name, fen in rows}

    def _torn(self, connection: Any, worker: str) -> Iterator[str]:
        closing_fen = 0
        for number in range(self.closed + 2):
            month = after(FIRST_MONTH, number)
            found = month_statement(connection, PLACE, f"commission:{worker}", month)
            if found.opening_fen != closing_fen:
                yield f"{worker}: {month} opens with {found.opening_fen}, not {closing_fen} fen"
            closing_fen = found.closing_fen

    def _kept_wrong(self) -> Iterator[str]:
        """Compare what previews of the open month keep with what is read from nothing."""
        with self.engine.connect() as connection, connection.begin():
            kept = plan_additions(connection, PLACE, self.month)
            months = run_books.months(connection, PLACE, self.month)
            forget(connection, PLACE)
            if kept != plan_additions(connection, PLACE, self.month):
                yield f"{self.month}: the sums that were kept differ from what the month holds"
            if months != run_books.months(connection, PLACE, self.month):
                yield f"{self.month}: the moves that were kept differ from what was posted"

    def _again(self, act: Callable[[], object]) -> None:
        """Do it; if the process dies on the way, do it again."""
        if self.dice.random() < CRASH_SHARE:
            try:
                with crashing(self.engine, self.dice.randrange(1, STATEMENTS_MAX)):
                    act()
            except CrashError:
                self.crashes += 1
            except OfficeError:
                return
            else:
                return
        try:
            act()
        except OfficeError:
            return

    def _order(self) -> None:
        order_id = f"o-{len(self.orders)}"
        worker = self.dice.choice(WORKERS)
        at_ms = self.now_ms + self.dice.randrange(-60, 240) * MINUTE_MS
        request = OrderRequest(
            order_id=order_id,
            pack=PACK.key,
            worker=worker,
            resident="r",
            booked_from_ms=at_ms,
            income_fen=self.dice.choice((0, 4_001, 9_999)),
        )
        self._again(
            lambda: create_orders(self.engine, PLACE, [request], lambda: "CODE00", self.now_ms)
        )
        self.orders.append((order_id, worker, at_ms))

    def _fact(self) -> None:
        if not self.orders:
            return
        order_id, worker, at_ms = self.dice.choice(self.orders[-200:])
        wall_ms = at_ms + self.dice.randrange(-20, 120) * MINUTE_MS
        box = self.dice.choice(self.boxes)
        is_finish = self.dice.random() < 0.5
        kind = "task_finished" if is_finish else "gate_passed"
        subject, reference = ("r", order_id) if is_finish else (worker, "")
        box.waiting.append(fact(wall_ms + 90 * MINUTE_MS * is_finish, kind, subject, reference))

    def _send(self, chosen: Box | None = None) -> None:
        # The last box is away for long: what it says comes late.
        weights = (6, 3, 1)
        box = chosen or self.dice.choices(self.boxes, weights)[0]
        arrival = [box.telling.block([*box.waiting, fact(self.now_ms, "box_alive")])]
        self._again(lambda: ingest_blocks(self.engine, arrival, self.now_ms))
        box.waiting = []

    def _fund(self) -> None:
        self._again(lambda: self._pay_in(self.dice.randrange(1, 20_000)))

    def _pay_in(self, fen: int) -> None:
        key = f"f-{self.now_ms}"
        fund_pool(self.engine, PLACE, FundingRequest(key=key, amount_fen=fen), self.now_ms)

    def _dispute(self) -> None:
        if not self.orders:
            return
        order_id, worker, at_ms = self.dice.choice(self.orders)
        asked = DisputeRequest(
            worker=worker,
            period=period_of(at_ms, 480),
            line=f"{order_id}/arrive/1",
            claim="look again",
        )
        self._again(lambda: open_dispute(self.engine, PLACE, asked, CLERK, self.now_ms))
        decided = DecisionRequest(amount_fen=self.dice.randrange(300), decision="looked again")
        with reading(self.engine) as connection:
            last = connection.execute(select(func.max(schema.disputes.c.dispute))).scalar_one()
        if last:
            self._again(
                lambda: decide_dispute(self.engine, PLACE, last, decided, APPROVER, self.now_ms)
            )

    def _cancel(self) -> None:
        if self.orders:
            order_id = self.dice.choice(self.orders)[0]
            self._again(lambda: cancel_order(self.engine, PLACE, order_id, self.now_ms))

    def _preview(self) -> None:
        self._again(lambda: Settling(self.engine, PLACE).preview(self.month, CLERK, self.now_ms))

    def _end_month(self) -> None:
        if self.closed == MONTHS_MAX:
            return
        desk, month = Settling(self.engine, PLACE), self.month
        self.now_ms = max(self.now_ms, span_ms(month, 480)[1])
        self._again(lambda: self._pay_in(10**6))
        steps: list[Callable[[], object]] = [
            lambda: desk.preview(month, CLERK, self.now_ms),
            lambda: desk.review(month, CLERK, self.now_ms),
            lambda: desk.approve(month, APPROVER, self.now_ms),
            lambda: desk.post(month, CLERK, self.now_ms),
            lambda: desk.pay(month, CLERK, self.now_ms),
        ]
        for act in steps:
            self._again(act)
        with reading(self.engine) as connection:
            closed = connection.execute(select(schema.sites.c.closed_through)).scalar_one()
        if closed == month:
            self.month, self.closed = after(month), self.closed + 1


@contextmanager
def crashing(engine: Engine, after_statements: int) -> Iterator[None]:
    """Let the process die at a statement: the transaction under way is gone."""
    left = [after_statements]

    def count(*_call: object) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise CrashError

    event.listen(engine, "before_cursor_execute", count)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", count)


def played(seed: int, operations: int, folder: Path) -> tuple[History, list[str]]:
    """Play a history in a folder, and give it with what does not add up."""
    engine = open_engine(sqlite_url(folder / f"history-{seed}.db"))
    migrate(engine)
    history = History(engine, random.Random(seed), operations)
    history.begin()
    for _ in range(operations):
        history.step()
    history.finish()
    found = history.faults()
    engine.dispose()
    return history, found


def main() -> None:
    """Play histories and print what was found, as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--operations", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    memory = Path("/dev/shm")  # noqa: S108  # it costs no disk
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        history, found = played(asked.seed, asked.operations, Path(folder))
    told = {
        "seed": asked.seed,
        "operations": asked.operations,
        "crashes": history.crashes,
        "closed_months": history.closed,
        "acts": history.counts,
        "faults": found,
    }
    print(json.dumps(told, ensure_ascii=False, indent=1))  # noqa: T201  # it is the output


if __name__ == "__main__":
    main()
