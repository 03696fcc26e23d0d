"""What headquarters tells a box: numbered, applied in one transaction, replayable."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from agreed.limits import (
    CODES_PER_ORDER_MAX,
    NAME_PATTERN,
    NODES_PER_ORDER_MAX,
    TEXT_BYTES_MAX,
    WALL_MS_MAX,
)
from agreed.promises import Match, Promise
from agreed.records import Evidence, check_text


def _recordable(text: str) -> str:
    check_text("text", text)
    return text


Text = Annotated[str, Field(min_length=1, max_length=TEXT_BYTES_MAX), AfterValidator(_recordable)]
"""Text that a record can carry as it is: bounded in bytes, not only in characters."""

Name = Annotated[str, Field(pattern=NAME_PATTERN)]
WallMs = Annotated[int, Field(ge=0, le=WALL_MS_MAX)]


class DirectiveError(ValueError):
    """The bytes are not a directive of a known kind; the message names the field."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Role(StrEnum):
    """Whose card it is: it decides only what a record says, never what a person is worth."""

    RESIDENT = "resident"
    WORKER = "worker"


class CodeAction(StrEnum):
    """What scanning a code at the kiosk does."""

    START = "start"  # the worker starts the task
    FINISH = "finish"  # the resident's code: accepted by standard
    DEPOSIT = "deposit"  # a compartment opens for the worker to put in
    COLLECT = "collect"  # the compartment opens for the resident to take out


class Code(_Frozen):
    """One code that a person may scan for an order.

    Attributes:
        code: what the scanner reads; unguessable, unique within a site while the order is open.
        action: what scanning it does.
        subject: pseudonymous id of whoever holds the code.
    """

    code: Annotated[str, Field(min_length=6, max_length=TEXT_BYTES_MAX)]
    action: CodeAction
    subject: Text


class PromisedNode(_Frozen):
    """A promise as it travels; `promise` gives the checked form. Fields as in `Promise`."""

    node: Text
    worker: Annotated[str, Field(max_length=TEXT_BYTES_MAX)]
    node_kind: Text
    match: Match
    opens_at_ms: WallMs
    promised_at_ms: WallMs
    tolerance_ms: int
    hard_ms: int
    at_risk_ms: int = 0
    early_bp_per_hour: int = 0
    early_bp_max: int = 0
    weight: int = 1
    is_critical: bool = False
    place: Annotated[str, Field(max_length=TEXT_BYTES_MAX)] = ""
    weakest_evidence: Evidence = Evidence.MANUAL

    def promise(self, order: str) -> Promise:
        """Give the promise of this node for an order.

        Raises:
            PromiseError: a field is out of its range.
        """
        return Promise(order=order, **dict(self))

    @model_validator(mode="after")
    def _check(self) -> "PromisedNode":
        self.promise("any")
        return self


class PutCredential(_Frozen):
    """A card opens gates from one time to another; replaces what the card did before."""

    kind: Literal["put_credential"] = "put_credential"
    card: Text
    subject: Text
    role: Role
    valid_from_ms: WallMs
    valid_until_ms: WallMs


class EndCredential(_Frozen):
    """A card opens nothing from now on."""

    kind: Literal["end_credential"] = "end_credential"
    card: Text


class PutOrder(_Frozen):
    """An order with its promised nodes and codes; replaces what the order said before."""

    kind: Literal["put_order"] = "put_order"
    order: Text
    pack: Text
    nodes: Annotated[list[PromisedNode], Field(min_length=1, max_length=NODES_PER_ORDER_MAX)]
    codes: Annotated[list[Code], Field(max_length=CODES_PER_ORDER_MAX)] = []

    def promises(self) -> list[Promise]:
        """Give the promises of all nodes."""
        return [node.promise(self.order) for node in self.nodes]


class EndOrder(_Frozen):
    """An order is closed or cancelled: its codes do nothing more, its promises are not watched."""

    kind: Literal["end_order"] = "end_order"
    order: Text


Directive = Annotated[
    PutCredential | EndCredential | PutOrder | EndOrder, Field(discriminator="kind")
]

_ADAPTER: TypeAdapter[Directive] = TypeAdapter(Directive)


def encode_directive(directive: Directive) -> str:
    """Write a directive as JSON."""
    return directive.model_dump_json()


def decode_directive(text: str | bytes) -> Directive:
    """Read a directive.

    Raises:
        DirectiveError: not JSON, an unknown kind, or a field out of its range.
    """
    try:
        return _ADAPTER.validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise DirectiveError(f"{field}: {first['msg']}") from None
