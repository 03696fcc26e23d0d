"""What the box has learned from headquarters, in memory, for decisions that cannot wait."""

from dataclasses import dataclass
from typing import assert_never

from agreed.directives import (
    Code,
    Directive,
    EndCredential,
    EndOrder,
    PutCredential,
    PutOrder,
    Role,
)


@dataclass(frozen=True, slots=True)
class Credential:
    """Whose card it is and from when to when it opens gates; ms since the epoch."""

    subject: str
    role: Role
    valid_from_ms: int
    valid_until_ms: int


@dataclass(frozen=True, slots=True)
class OrderCode:
    """A code and the order it belongs to."""

    order: str
    code: Code


class Known:
    """Cards and codes by what a reader or scanner says.

    Attributes:
        credentials: by card.
        codes: by the text scanned.
    """

    def __init__(self) -> None:
        self.credentials: dict[str, Credential] = {}
        self.codes: dict[str, OrderCode] = {}
        self._codes_by_order: dict[str, list[str]] = {}

    def __len__(self) -> int:
        """Count the orders."""
        return len(self._codes_by_order)

    def forget_all(self) -> None:
        """Begin anew, because headquarters did."""
        self.credentials.clear()
        self.codes.clear()
        self._codes_by_order.clear()

    def learn(self, directive: Directive) -> None:
        """Take in one directive; taking it in twice changes nothing."""
        match directive:
            case PutCredential():
                self.credentials[directive.card] = Credential(
                    directive.subject,
                    directive.role,
                    directive.valid_from_ms,
                    directive.valid_until_ms,
                )
            case EndCredential():
                self.credentials.pop(directive.card, None)
            case PutOrder():
                self._forget_codes(directive.order)
                for code in directive.codes:
                    self.codes[code.code] = OrderCode(directive.order, code)
                self._codes_by_order[directive.order] = [code.code for code in directive.codes]
            case EndOrder():
                self._forget_codes(directive.order)
            case _:
                assert_never(directive)

    def _forget_codes(self, order: str) -> None:
        for text in self._codes_by_order.pop(order, ()):
            if text in self.codes and self.codes[text].order == order:
                del self.codes[text]
