"""Leads a log's blocks and promises through headquarters' own acts into a real store."""

import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Final, TypeVar

from nacl.signing import SigningKey
from sqlalchemy import Engine
from sqlalchemy.exc import DatabaseError, DBAPIError, OperationalError

from agreed.messages import Committed
from agreed.promises import Verdict
from agreed.signing import end_statement
from agreed.wire import Origin
from agreed.words import RemedyError, say
from cloud import reads
from cloud.database import promising
from cloud.database.engine import reading
from cloud.database.fleet import BoxName, Place, find_box, find_journal
from cloud.folder import store_trouble
from cloud.ingest.checking import Arrival
from cloud.ingest.commit import ingest_blocks
from cloud.office.boxes import accept_box, add_box, know_importer, retire_box
from cloud.office.orders import NodeTerms, OrderRequest, create_orders, publish_pack
from cloud.office.refusals import OfficeError
from cloud.office.sites import (
    SiteRequest,
    WorkerRequest,
    open_company,
    open_site,
    put_workers,
)
from cloud.opening import open_store
from cloud.replay.cases import CasePromise
from cloud.replay.mapping import Mapping

BLOCKS_TOGETHER: Final = 10
ORDERS_TOGETHER: Final = 500
_STREAM_BYTES: Final = 16

T = TypeVar("T")


@contextmanager
def store_at(url: str, path: Path) -> Iterator[Engine]:
    """Hold a store open, its tables up to date.

    Args:
        url: the store.
        path: where a person looks for it.

    Raises:
        RemedyError: it cannot be opened or written, in place of its own error.
    """
    try:
        engine = open_store(url, path)
        try:
            yield engine
        finally:
            engine.dispose()
    except DBAPIError as error:
        if type(error) not in {OperationalError, DatabaseError}:
            raise  # a fault of ours
        raise store_trouble(path, error) or RemedyError(
            say(
                "The store {path} fails: {problem}; put it right and run the same command again.",
                path=path,
                problem=str(error.orig).strip(),
            )
        ) from None


class Headquarters:
    """One store, and the site in it that a log belongs to."""

    def __init__(
        self, engine: Engine, mapping: Mapping, origin: Origin, now_ms: Callable[[], int]
    ) -> None:
        """Name the store, the site and the chain; `now_ms` reads headquarters' clock."""
        self._engine = engine
        self._mapping = mapping
        self._epoch = origin.epoch
        self._place = Place(origin.company, origin.site)
        self._box = BoxName(origin.company, origin.site, origin.box)
        self._now_ms = now_ms
        self._key = SigningKey.generate()

    def refuse_strangers(self, cases: Iterable[str]) -> None:
        """Refuse a log whose cases are in the store from elsewhere.

        Raises:
            RemedyError: a case is there, and not from this log under this mapping.
        """
        with reading(self._engine) as connection:
            if find_journal(connection, self._box, self._epoch) is not None:
                return
            for chunk in _chunks(cases, ORDERS_TOGETHER):
                known = promising.promised_nodes(connection, self._place, chunk)
                if known:
                    raise RemedyError(
                        say(
                            "Case {case} is in this store already, from another log or mapping: "
                            "use another store, or another site in the mapping.",
                            case=min(known),
                        )
                    )

    def take_in(self, blocks: list[bytes], last_sequence: int, told: Callable[[int], None]) -> int:
        """Ingest blocks as from a box; gives how many records were new.

        The box is in service only for as long as it speaks: afterwards nobody waits for it.

        Args:
            blocks: the whole chain.
            last_sequence: of its last record.
            told: how many blocks are done, now and then.
        """
        now_ms = self._now_ms()
        place, mapping = self._place, self._mapping
        open_company(self._engine, place.company, place.company, now_ms)
        request = SiteRequest(site=place.site, name=place.site)
        open_site(self._engine, place.company, request, now_ms)
        publish_pack(self._engine, place.company, mapping.to_pack(), now_ms)
        records = 0
        if self._committed_through() < last_sequence:
            self._enter_service()
            for done, chunk in enumerate(_chunks(blocks, BLOCKS_TOGETHER)):
                records += self._ingest(chunk)
                told(min((done + 1) * BLOCKS_TOGETHER, len(blocks)))
        self._leave_service()
        return records

    def book(self, made: Iterable[CasePromise], told: Callable[[int], None]) -> None:
        """Book every case whose promises can be judged, as an order; known ones stay.

        Args:
            made: the promises of one case side by side.
            told: how many cases are done, now and then.
        """
        done = 0
        by_case = ((case, list(of_case)) for case, of_case in groupby(made, key=lambda m: m.case))
        for chunk in _chunks(by_case, ORDERS_TOGETHER):
            with reading(self._engine) as connection:
                known = promising.promised_nodes(
                    connection, self._place, [case for case, _ in chunk]
                )
            fresh = [of_case for case, of_case in chunk if case not in known]
            self._add_workers({m.worker for ms in fresh for m in ms if m.worker and is_bookable(m)})
            requests = [r for of_case in fresh if (r := order_request(self._mapping, of_case))]
            if requests:
                self._create(requests)
            done += len(chunk)
            told(done)

    def verdicts(self, made: Iterable[CasePromise]) -> Iterator[tuple[str, Verdict]]:
        """Read what headquarters decided about those promises that are booked, by name."""
        keys = ((m.case, m.rule.name) for m in made if is_bookable(m))
        with reading(self._engine) as connection:
            for chunk in _chunks(keys, ORDERS_TOGETHER):
                for standing in promising.standings(connection, self._place, set(chunk)):
                    decided = standing.decided
                    verdict = Verdict.OPEN if decided is None else Verdict(decided.was_verdict)
                    yield standing.promise.node, verdict

    def _committed_through(self) -> int:
        with reading(self._engine) as connection:
            held = find_journal(connection, self._box, self._epoch)
        return held.through if held else 0

    def _enter_service(self) -> None:
        now_ms = self._now_ms()
        add_box(self._engine, self._box, secrets.token_bytes(_STREAM_BYTES), now_ms)
        accept_box(self._engine, self._box, secrets.token_bytes(_STREAM_BYTES), now_ms)
        know_importer(self._engine, self._box, bytes(self._key.verify_key), now_ms)

    def _leave_service(self) -> None:
        with reading(self._engine) as connection:
            box = find_box(connection, self._box)
        if box is not None and box.status == "accepted":
            retire_box(self._engine, self._box, self._now_ms())

    def _ingest(self, blocks: list[bytes]) -> int:
        signature = self._key.sign(end_statement(blocks[-1])).signature
        arrivals = [Arrival(self._box, blocks, signature)]
        done = ingest_blocks(self._engine, arrivals, self._now_ms())
        answer = done.answers[self._box]
        if not isinstance(answer, Committed) or answer.is_resend:
            raise RemedyError(
                say(
                    "Headquarters does not take the log: {problem}; look at the box {box}.",
                    problem=getattr(answer, "reason", answer),
                    box=self._box.box,
                )
            )
        return done.records

    def _add_workers(self, wanted: set[str]) -> None:
        company, site = self._place
        with reading(self._engine) as connection:
            known = {w.worker for w in reads.workers(connection, company, site=site)}
        new = [WorkerRequest(worker=w, name=_label(w)) for w in sorted(wanted - known)]
        if new:
            put_workers(self._engine, self._place, new, self._now_ms())

    def _create(self, requests: list[OrderRequest]) -> None:
        try:
            create_orders(self._engine, self._place, requests, _no_code, self._now_ms())
        except OfficeError as error:
            raise RemedyError(str(error)) from None


def is_bookable(made: CasePromise) -> bool:
    """Say whether a promise can be judged.

    One whose fact the log does not know would be missed at headquarters as soon as its hard limit
    is covered: nobody could tell that the log, and not the worker, left it out.
    """
    return made.promised_at_ms is not None and made.fact is not None


def order_request(mapping: Mapping, made: list[CasePromise]) -> OrderRequest | None:
    """Write the promises of one case as an order; None when none can be judged."""
    nodes = [
        NodeTerms(
            key=m.rule.name,
            promised_at_ms=m.promised_at_ms,
            opens_at_ms=min(m.first_at_ms, m.promised_at_ms),
            worker=m.worker,
        )
        for m in made
        if m.promised_at_ms is not None and m.fact is not None
    ]
    if not nodes:
        return None
    return OrderRequest(
        order_id=made[0].case,
        pack=mapping.pack.key,
        booked_from_ms=made[0].first_at_ms,
        nodes=nodes,
    )


def _label(worker: str) -> str:
    return "".join(c if c.isprintable() else " " for c in worker).strip() or "?"


def _no_code() -> str:
    raise AssertionError("a replayed pack has no codes")


def _chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    chunk: list[T] = []
    for item in items:
        chunk.append(item)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
