"""The mapping: which column of a log means what, and what was promised."""

import re
import tomllib
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from agreed.directives import Name, Text
from agreed.limits import NODES_PER_ORDER_MAX, SPAN_MS_MAX, TEXT_BYTES_MAX
from agreed.records import (
    BOX_ALIVE,
    BOX_STARTED,
    DEVICE_BACK,
    DEVICE_KEYED,
    DEVICE_LOST,
    DEVICE_POWER,
    DEVICE_TAMPERED,
    GAP,
)
from agreed.words import RemedyError, say
from agreed.wrong_fields import OURS, explain
from cloud.replay.timestamps import DateOnly, DateOrder, EpochUnit, TimeForm
from cloud.settlement.packs import MS_PER_MINUTE, BasisPoints, Fen, Key, Label, Pack, PackNode

DERIVED: Final = "import: "
"""How the node kind of a promise's fact begins; steps of a log may not."""

RESERVED_STEPS: Final = frozenset(
    {
        GAP,
        BOX_STARTED,
        BOX_ALIVE,
        DEVICE_LOST,
        DEVICE_BACK,
        DEVICE_TAMPERED,
        DEVICE_KEYED,
        DEVICE_POWER,
    }
)
"""What a box says of itself; a log may not say it for the box."""

_UNITS_MS: Final = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_SPAN: Final = re.compile(r"(?:[0-9]{1,12}(?:ms|s|m|h|d))+")
_SPAN_PART: Final = re.compile(r"([0-9]+)(ms|s|m|h|d)")


def read_span_ms(text: object) -> int:
    """Read a span of time such as "30d", "2h30m" or "500ms".

    Raises:
        ValueError: anything else, or more than SPAN_MS_MAX.
    """
    if not isinstance(text, str) or not _SPAN.fullmatch(text):
        raise ValueError(say("write a span such as “30d”, “2h30m”, “45s” or “500ms”"))
    span_ms = sum(int(n) * _UNITS_MS[unit] for n, unit in _SPAN_PART.findall(text))
    if span_ms > SPAN_MS_MAX:
        raise ValueError(say("at most twenty years"))
    return span_ms


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(say("not a known zone; write one such as “Asia/Shanghai”")) from None
    return name


def _whole_minutes(span_ms: int) -> int:
    if span_ms % MS_PER_MINUTE:
        raise ValueError(say("a pack promises in whole minutes"))
    return span_ms


Span = Annotated[int, BeforeValidator(read_span_ms)]
Minutes = Annotated[Span, AfterValidator(_whole_minutes)]
Column = Annotated[str, Field(min_length=1, max_length=200)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Place(StrEnum):
    """Which of several events of a case is meant, by time."""

    FIRST = "first"
    LAST = "last"


class Source(_Strict):
    """Where a value comes from: a column of the case, or one of its events.

    Attributes:
        column: a column that says the same on every row of the case, or nothing.
        event: the first or the last event of the case.
        step: only events of this step count; None for all.
    """

    column: Column | None = None
    event: Place | None = None
    step: Text | None = None

    @model_validator(mode="after")
    def _one_of(self) -> "Source":
        if (self.column is None) == (self.event is None):
            raise ValueError(say("give either a column or an event"))
        if self.column is not None and self.step is not None:
            raise ValueError(say("step goes with event; for a column say rows_of"))
        return self


class FileForm(_Strict):
    """How the file is written.

    Attributes:
        delimiter: between cells.
        encoding: None means UTF-8, and that anything else is a mistake in the mapping; when it
            is given, a line that does not fit it is one unreadable row.
        missing: further cells than empty ones that mean "nothing is known".
    """

    delimiter: Literal[",", ";", "\t", "|"] = ","
    encoding: Literal["utf-8", "gb18030", "big5", "latin-1", "windows-1252"] | None = None
    missing: list[str] = []


class TimeSettings(_Strict):
    """What times mean that do not say it themselves; see `TimeForm`.

    Attributes:
        time_zone: IANA name of the zone of clocks written without an offset.
        epoch: what a bare number counts since 1970.
        date_order: how a date with the year last is meant.
        date_only: which instant a date without a time of day means.
        bound: every time of the log may be off by this much.
    """

    time_zone: Annotated[str, AfterValidator(_known_zone)] | None = None
    epoch: EpochUnit | None = None
    date_order: DateOrder | None = None
    date_only: DateOnly | None = None
    bound: Span = 0

    @cached_property
    def form(self) -> TimeForm:
        """Give the form that the reader of times takes."""
        zone = ZoneInfo(self.time_zone) if self.time_zone else None
        return TimeForm(zone, self.epoch, self.date_order, self.date_only)


class Columns(_Strict):
    """The four columns that every event has."""

    case: Column
    step: Column
    actor: Column
    time: Column


class Plan(_Strict):
    """The product pack that the cases are orders of: what each brings, and where that goes.

    Attributes:
        key: the pack's key at headquarters.
        name_zh, name_en: what people read; None for the key.
        price_fen, supplier, supplier_cost_fen, platform_bp, pool_bp: as in
            `cloud.settlement.packs.Pack`.
    """

    key: Key
    name_zh: Label | None = None
    name_en: Label | None = None
    price_fen: Fen
    supplier: Annotated[str, Field(max_length=TEXT_BYTES_MAX)] = ""
    supplier_cost_fen: Fen = 0
    platform_bp: BasisPoints = 0
    pool_bp: BasisPoints


class PromiseRule(_Strict):
    """One promise that every case made.

    Attributes:
        name: the node's key within the order.
        name_zh, name_en: what people read; None for the name.
        promised: column of the promised time.
        actual: what shows when it really happened.
        paid: who is paid: a column, or whoever did an event; None for nobody in person.
        rows_of: read the columns above only on rows of this step; None for all rows.
        tolerance: full credit up to so long after the promised time.
        hard_limit: no credit from so long after the promised time on.
        piece_rate_fen: what the kept promise pays.
        weight: share of the order's score.
        is_critical: when missed or scored 0, the order scores 0.
    """

    name: Key
    name_zh: Label | None = None
    name_en: Label | None = None
    promised: Column
    actual: Source
    paid: Source | None = None
    rows_of: Text | None = None
    tolerance: Minutes = 0
    hard_limit: Minutes
    piece_rate_fen: Fen = 0
    weight: BasisPoints = 1
    is_critical: bool = False

    @property
    def node_kind(self) -> str:
        """Name the kind of record that proves the promise: what the whole log says of a case."""
        return f"{DERIVED}{self.name}"

    @model_validator(mode="after")
    def _check(self) -> "PromiseRule":
        if self.hard_limit <= self.tolerance:
            raise ValueError(say("hard_limit: must exceed tolerance"))
        return self


class Mapping(_Strict):
    """The whole mapping, as in `docs/replay.md`.

    Attributes:
        company, site: whom the orders and the pay belong to in the store.
        rename: a step as the log writes it, to the node kind it shall be.
    """

    company: Name = "replay"
    site: Name = "replay"
    file: FileForm = FileForm()
    time: TimeSettings = TimeSettings()
    columns: Columns
    rename: dict[str, Text] = {}
    pack: Plan
    promise: Annotated[list[PromiseRule], Field(min_length=1, max_length=NODES_PER_ORDER_MAX)]

    def to_pack(self) -> Pack:
        """Give the pack as headquarters publishes it; the times of a case are its own."""
        plan = self.pack
        return Pack(
            **plan.model_dump(exclude={"name_zh", "name_en"}),
            name_zh=plan.name_zh or plan.key,
            name_en=plan.name_en or plan.key,
            nodes=[
                PackNode(
                    key=rule.name,
                    name_zh=rule.name_zh or rule.name,
                    name_en=rule.name_en or rule.name,
                    node_kind=rule.node_kind,
                    tolerance_minutes=rule.tolerance // MS_PER_MINUTE,
                    hard_minutes=rule.hard_limit // MS_PER_MINUTE,
                    at_risk_minutes=0,
                    weight=rule.weight,
                    is_critical=rule.is_critical,
                    rate_fen=rule.piece_rate_fen,
                )
                for rule in self.promise
            ],
        )

    @model_validator(mode="after")
    def _check(self) -> "Mapping":
        names = [rule.name for rule in self.promise]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(say("promise: two are named {name}", name=min(twice)))
        try:
            self.to_pack()
        except ValidationError as error:
            problem = error.errors(include_url=False)[0]["msg"].removeprefix(OURS)
            raise ValueError(f"pack.{problem}") from None
        return self


def read_mapping(data: bytes, name: str) -> Mapping:
    """Read a mapping from the bytes of its file.

    Raises:
        RemedyError: not TOML, or a field is missing, unknown or out of range; it is named.
    """
    try:
        return Mapping.model_validate(tomllib.loads(data.decode()))
    except UnicodeDecodeError:
        raise RemedyError(say("{file} is not UTF-8: save it as UTF-8.", file=name)) from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        _, problem = explain(first, _field(first["loc"]), say("the whole file"))
        raise RemedyError(f"{name}: {problem}") from None
    # Besides its own error tomllib lets those of too many digits and of too deep lists through.
    except (ValueError, RecursionError) as error:
        raise RemedyError(say("{file} is not TOML: {problem}.", file=name, problem=error)) from None


def _field(location: tuple[Any, ...]) -> str:
    # [[promise]] tables are counted from 1, as a person counts them.
    parts = [str(part + 1) if isinstance(part, int) else str(part) for part in location]
    return ".".join(parts)
