"""The product pack: what a service promises, what it earns and what it pays, as data."""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from agreed.directives import CodeAction
from agreed.limits import BASIS_POINTS, NODES_PER_ORDER_MAX
from agreed.money import scaled
from agreed.promises import Match
from agreed.records import Evidence
from agreed.words import say
from cloud.fields import MS_PER_MINUTE, BasisPoints, Fen, Label, MaybeWord, Minutes, Name, Word

Key = Name


__all__ = [
    "MS_PER_MINUTE",
    "BasisPoints",
    "Fen",
    "Key",
    "Label",
    "Minutes",
    "Pack",
    "PackNode",
]


class MatchBy(StrEnum):
    """Which record proves the node, spelled out: see `agreed.promises.Match`."""

    ORDER = "order"
    WORKER = "worker"
    TURN = "turn"

    @property
    def match(self) -> Match:
        """Give the number that promises carry."""
        return Match[f"BY_{self.name}"]


class WeakestEvidence(StrEnum):
    """What a record must be worth, spelled out: see `agreed.promises.Promise`."""

    DEVICE = "device"
    KIOSK = "kiosk"
    MANUAL = "manual"

    @property
    def evidence(self) -> Evidence:
        """Give the number that promises carry."""
        return Evidence[self.name]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PackNode(_Frozen):
    """One step of the service.

    Attributes:
        key: unique within the pack.
        node_kind: what must happen: see `agreed.records`.
        match: whether a record must carry the order, or only the worker inside the window; in
            turns it must come from the place, too, and proves one node only.
        place: the device that must have seen it, in turns.
        weakest_evidence: device, kiosk or manual: what a record must be worth to count.
        offset_minutes: promised this long after the booked start.
        opens_minutes: the window by worker opens this long before the promised time.
        tolerance_minutes: full credit until then after the promised time.
        hard_minutes: no credit from then on.
        at_risk_minutes: ask for help this long before the tolerance ends.
        early_bp_per_hour, early_bp_max: credit for being earlier than the tolerance.
        weight, is_critical: within the order's score.
        rate_fen: piece rate at full score; 0 pays nothing.
        code: what a code for this node does at the kiosk; None for no code.
    """

    key: Key
    name_zh: Label
    name_en: Label
    node_kind: Word
    match: MatchBy = MatchBy.ORDER
    place: MaybeWord = ""
    weakest_evidence: WeakestEvidence = WeakestEvidence.MANUAL
    offset_minutes: Minutes = 0
    opens_minutes: Minutes = 120
    tolerance_minutes: Minutes
    hard_minutes: Minutes
    at_risk_minutes: Minutes = 15
    early_bp_per_hour: BasisPoints = 0
    early_bp_max: BasisPoints = 0
    weight: Annotated[int, Field(ge=0, le=BASIS_POINTS)] = 1
    is_critical: bool = False
    rate_fen: Fen = 0
    code: CodeAction | None = None

    @model_validator(mode="after")
    def _check(self) -> "PackNode":
        if self.hard_minutes <= self.tolerance_minutes:
            raise ValueError(say("hard_minutes: must exceed tolerance_minutes"))
        if bool(self.place) != (self.match is MatchBy.TURN):
            raise ValueError(say("place: name the device to match by turn, and only then"))
        return self


class Pack(_Frozen):
    """One version of a product pack.

    Attributes:
        key: the pack's name within the company.
        supplier: whom the cost goes to; "" for nobody.
        price_fen: what a resident pays by default.
        supplier_cost_fen: of each order.
        platform_bp: of the price, for platform and tax.
        pool_bp: of the new profit, for the site's commission pool; the company keeps the rest.
        nodes: in the order in which they happen.
    """

    key: Key
    name_zh: Label
    name_en: Label
    supplier: MaybeWord = ""
    price_fen: Fen
    supplier_cost_fen: Fen = 0
    platform_bp: BasisPoints = 0
    pool_bp: BasisPoints = 0
    nodes: Annotated[list[PackNode], Field(min_length=1, max_length=NODES_PER_ORDER_MAX)]

    @model_validator(mode="after")
    def _check(self) -> "Pack":
        keys = [node.key for node in self.nodes]
        if len(set(keys)) != len(keys):
            raise ValueError(say("nodes: give each node a key of its own"))
        if self.supplier_cost_fen and not self.supplier:
            raise ValueError(say("supplier: name who receives supplier_cost_fen"))
        spent_fen = self.supplier_cost_fen + scaled(self.price_fen, self.platform_bp)
        if spent_fen > self.price_fen:
            raise ValueError(say("price_fen: less than supplier cost and platform share together"))
        return self

    def node(self, key: str) -> PackNode | None:
        """Find a node by its key."""
        return next((node for node in self.nodes if node.key == key), None)
