"""What a scanned code does: start, finish, deposit, collect, or nothing and why."""

from typing import Final

from agreed.directives import Code, CodeAction
from agreed.records import CODE_REFUSED, TASK_FINISHED, TASK_STARTED, Durability, Evidence
from edge.decisions import Decision, Digest, Draft
from edge.known import Known
from edge.lockers import Bank, Refusal
from firmware_interfaces.observations import Answer

NO_LOCKERS: Final = "no_lockers"
_TASKS: Final = {CodeAction.START: TASK_STARTED, CodeAction.FINISH: TASK_FINISHED}


class Kiosk:
    """One kiosk: a scanner, and the locker bank beside it if there is one.

    Attributes:
        scanner: the scanner's name.
    """

    def __init__(self, scanner: str, bank: Bank | None, known: Known, digest: Digest) -> None:
        self.scanner = scanner
        self._bank = bank
        self._known = known
        self._digest = digest
        self._good = (Answer(scanner, is_good=True),)
        self._bad = (Answer(scanner, is_good=False),)

    def scanned(self, text: str) -> Decision:
        """Decide about a code; "good" is said only once the record is on the disk."""
        known = self._known.codes.get(text)
        if known is None:
            return self._refused("", "", self._digest(text))
        order, code = known.order, known.code
        node_kind = _TASKS.get(code.action)
        if node_kind is None:
            return self._compartment(order, code)
        draft = Draft(self.scanner, node_kind, code.subject, order, evidence=Evidence.KIOSK)
        return Decision(
            (draft,), Durability.CUSTODY, when_durable=self._good, when_refused=self._bad
        )

    def _compartment(self, order: str, code: Code) -> Decision:
        if self._bank is None:
            return self._refused(code.subject, order, NO_LOCKERS)
        act = self._bank.deposit if code.action is CodeAction.DEPOSIT else self._bank.collect
        decision = act(order, code.subject, self.scanner)
        if isinstance(decision, Refusal):
            return self._refused(code.subject, order, decision)
        return decision

    def _refused(self, subject: str, order: str, reason: str) -> Decision:
        draft = Draft(self.scanner, CODE_REFUSED, subject, order, reason, Evidence.KIOSK)
        return Decision((draft,), at_once=self._bad)
