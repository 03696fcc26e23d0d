"""Why a statement line says what it says: everything a reader needs to check it with a pencil."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Hold(StrEnum):
    """Why a line is not posted although it is earned."""

    POOL_SHORT = "pool_short"  # the site's pool does not hold enough; paid as soon as it does
    TOO_OLD = "too_old"  # its month was closed too long ago; a person decides


class ProvenBy(_Frozen):
    """The device record that proves a node.

    Attributes:
        box: name.
        epoch: hex of the journal's epoch.
        sequence: of the record in that journal.
        block_hash: hex SHA-256 of the block that holds it.
    """

    box: str
    epoch: str
    sequence: int
    block_hash: str


class Reason(_Frozen):
    """One line's derivation.

    Attributes:
        order_id, node, pack, pack_version: what was agreed, and where.
        name_zh, name_en: the node's name in that pack version.
        revision: of the verdict that this line pays.
        verdict: name of the `agreed.promises.Verdict`, lower case.
        promised_at_ms, tolerance_ms, hard_ms: the promise.
        actual_at_ms, bound_ms: the fact and its clock error; None where nothing was seen, and
            bound_ms None where the clock was never set.
        deviation_ms: signed, actual - promised.
        score_bp: basis points.
        rate_fen: piece rate at 10,000 bp.
        quantity: pieces.
        amount_fen: what follows; signed.
        formula: the same with the numbers put in.
        covered_until_ms: headquarters knew everything up to then.
        evidence: None where nothing was seen.
        hold: None when it was posted.
        pool_fen: what the pool held when it was too little; None otherwise.
        set_off_fen: of the amount, what was kept for what the same node owes.
        takes_back_revision: for a reversal, the revision whose pay it cancels.
    """

    order_id: str
    node: str
    pack: str
    pack_version: int
    name_zh: str
    name_en: str
    revision: int
    verdict: str
    promised_at_ms: int
    tolerance_ms: int
    hard_ms: int
    actual_at_ms: int | None
    bound_ms: int | None
    deviation_ms: int
    score_bp: int
    rate_fen: int
    amount_fen: int
    formula: str
    covered_until_ms: int
    evidence: ProvenBy | None
    hold: Hold | None = None
    pool_fen: int | None = None
    takes_back_revision: int | None = None
    set_off_fen: int = 0
    quantity: int = 1
