"""What headquarters keeps: every table, on SQLite and on PostgreSQL alike.

Every key begins with the company, and with the site wherever there is one, so that a sharded
store can spread them. Money is whole fen, time is ms since the epoch, both BIGINT. The rules that
a table cannot state (append-only, balances) are triggers: see `guards`.
"""

from typing import Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from cloud.database.columns import NAME, metadata, name, names, one_of, whole, within
from cloud.database.schema_plans import plans
from cloud.database.schema_refunds import refunds
from cloud.database.schema_runs import disputes, run_acts, run_lines, runs, users
from cloud.database.schema_sums import month_moves, month_sums, order_sums

__all__ = [
    "disputes",
    "metadata",
    "month_moves",
    "month_sums",
    "order_sums",
    "plans",
    "refunds",
    "run_acts",
    "run_lines",
    "runs",
    "users",
]

BOX_STATUSES: Final = ("pending", "accepted", "retired")
ORDER_STATUSES: Final = ("open", "done", "cancelled")
LINE_STATUSES: Final = ("posted", "held", "nothing", "withdrawn", "manual")
LINE_KINDS: Final = ("pay", "reversal")
ACCOUNT_KINDS: Final = (
    "outside",  # the world: residents who pay, banks; the only kind that may be overdrawn
    "income",  # what an order brought, until the waterfall has emptied it
    "supplier",
    "platform",
    "new_profit",
    "retained",
    "pool",  # what commissions are paid from
    "commission",  # what a worker has earned by fulfilment
    "wage_fund",
    "wage",  # base wages: no transfer of another kind may touch them
    "receivable",  # what a worker owes; the only kind that holds debits
    "unrecovered",  # what the pool fences until the workers have given it back
    "escrow",  # stakes of a wager, both sides'
    "wager",  # the waterfall's share for the senior wager
    "bonus",  # the waterfall's share for the middle bonus
    "care",  # the fund for vulnerable residents
)
TRANSFER_KINDS: Final = (
    "income",
    "waterfall",
    "income_reversal",
    "funding",
    "commission",
    "commission_reversal",
    "wage",
    "claim",  # a worker owes pay of a closed month
    "fence",  # the pool must not count it yet
    "recovery",  # it came back
    "settlement",  # what a run's plan pays
    "settlement_reversal",
    "stake",  # into a wager's escrow
    "adjustment",  # what a person decided upon a dispute
    "payout",  # out of the books, to a bank
)


companies: Final = Table(
    "companies",
    metadata,
    name("company"),
    Column("name", Text, nullable=False),
    Column("utc_offset_minutes", Integer, nullable=False, server_default="480"),
    whole("created_at_ms"),
    whole("minimum_wage_fen", server_default="0"),  # a month; no deduction reaches below it
    PrimaryKeyConstraint("company"),
)

sites: Final = Table(
    "sites",
    metadata,
    *names("company", "site"),
    Column("name", Text, nullable=False),
    # Had anything happened here by then, headquarters would know; ms, never goes back.
    whole("covered_until_ms", server_default="0"),
    whole("created_at_ms"),
    # The last month that is closed, "2026-03"; "" for none. It never goes back.
    name("closed_through", server_default=""),
    PrimaryKeyConstraint("company", "site"),
    within("companies", "company"),
)

boxes: Final = Table(
    "boxes",
    metadata,
    *names("company", "site", "box"),
    name("status"),
    whole("added_at_ms"),
    whole("accepted_at_ms", nullable=True),
    # 16 bytes: the journal that spoke last; its chain is in `journals`.
    Column("epoch", LargeBinary, nullable=True),
    whole("last_heard_at_ms", nullable=True),
    Column("is_online", Boolean, nullable=False, server_default=text("false")),
    whole("presence_at_ms", nullable=True),
    Column("last_status", JSON(none_as_null=True), nullable=True),  # `messages.Status`
    whole("last_status_at_ms", nullable=True),
    # Kind of the incident that waits for a person; its story is in `incidents`.
    Column("incident", NAME, nullable=True),
    Column("directive_stream", LargeBinary, nullable=False),  # 16 bytes
    whole("directives_through", server_default="0"),
    whole("applied_through", server_default="0"),
    # Raised to give the box another broker password.
    whole("credential_number", server_default="0"),
    # Which of `box_keys` it must sign with; null before its first word.
    whole("key_number", nullable=True),
    # 32 bytes: a key that it named and that no person has accepted.
    Column("offered_key", LargeBinary, nullable=True),
    PrimaryKeyConstraint("company", "site", "box"),
    within("sites", "company", "site"),
    one_of("status", BOX_STATUSES),
)

# Every key that a box was ever known by; never changed, so that old signatures can be checked.
box_keys: Final = Table(
    "box_keys",
    metadata,
    *names("company", "site", "box"),
    whole("number"),  # from 1
    Column("public_key", LargeBinary, nullable=False),  # 32 bytes, Ed25519
    name("how"),  # person, or first_word: the first one that the box named
    whole("accepted_at_ms"),
    PrimaryKeyConstraint("company", "site", "box", "number"),
    within("boxes", "company", "site", "box"),
)

journals: Final = Table(
    "journals",
    metadata,
    *names("company", "site", "box"),
    Column("epoch", LargeBinary, nullable=False),  # 16 bytes
    whole("begun_at_ms"),
    whole("committed_through", server_default="0"),
    Column("committed_head", LargeBinary, nullable=False),  # 32 bytes
    # Latest wall time less its bound among the records with a set clock, ms; 0 for none.
    whole("covered_until_ms", server_default="0"),
    # After a fork, until a person has looked.
    Column("is_refused", Boolean, nullable=False, server_default=text("false")),
    PrimaryKeyConstraint("company", "site", "box", "epoch"),
    within("boxes", "company", "site", "box"),
)

incidents: Final = Table(
    "incidents",
    metadata,
    *names("company", "site", "box"),
    whole("incident"),  # number, from 1
    name("kind"),  # see `cloud.ingest.incidents`
    whole("at_ms"),
    Column("detail", JSON, nullable=False),
    whole("resolved_at_ms", nullable=True),
    PrimaryKeyConstraint("company", "site", "box", "incident"),
    within("boxes", "company", "site", "box"),
)

blocks: Final = Table(
    "blocks",
    metadata,
    *names("company", "site", "box"),
    Column("epoch", LargeBinary, nullable=False),
    whole("first"),
    whole("last"),
    Column("boot", LargeBinary, nullable=False),  # 16 bytes
    Column("hash", LargeBinary, nullable=False),  # 32 bytes
    Column("previous", LargeBinary, nullable=False),  # 32 bytes
    Column("data", LargeBinary, nullable=False),  # as it came, see `agreed.wire`
    whole("received_at_ms"),
    # 64 bytes, over this block as head of the chain; null where a later one covers it.
    Column("signature", LargeBinary, nullable=True),
    whole("key_number", nullable=True),  # of `box_keys`
    # Which part of its boot it tells of; null in blocks from before anchors.
    whole("mono_ns_min", nullable=True),
    whole("mono_ns_max", nullable=True),
    PrimaryKeyConstraint("company", "site", "box", "epoch", "first"),
    within("journals", "company", "site", "box", "epoch"),
    Index("ix_blocks_boot", "company", "site", "box", "boot", "mono_ns_max"),
)

# Records of now that overtook a backlog: shown, never judged or paid from; they go away as soon
# as the same records are committed in their turn.
previews: Final = Table(
    "previews",
    metadata,
    *names("company", "site", "box"),
    Column("epoch", LargeBinary, nullable=False),
    whole("sequence"),
    whole("wall_ms"),
    whole("bound_ms"),
    Column("clock_state", Integer, nullable=False),
    Column("evidence", Integer, nullable=False),
    *names("device", "node_kind", "subject", "reference"),
    Column("detail", Text, nullable=False),
    whole("seen_at_ms"),
    PrimaryKeyConstraint("company", "site", "box", "epoch", "sequence"),
    within("boxes", "company", "site", "box"),
)

# Fields as in `agreed.records.Record`; block_first names the block of the same journal.
records: Final = Table(
    "records",
    metadata,
    *names("company", "site", "box"),
    Column("epoch", LargeBinary, nullable=False),
    whole("sequence"),
    whole("wall_ms"),
    whole("bound_ms"),
    whole("mono_ns"),
    Column("clock_state", Integer, nullable=False),
    Column("evidence", Integer, nullable=False),
    *names("device", "node_kind", "subject", "reference"),
    Column("detail", Text, nullable=False),
    whole("block_first"),
    # Hours since the epoch: a journal's records arrive nearly in its order, so that an index that
    # names the journal and then the hour grows at one end of each journal, whoever they are of.
    Column("hour", BigInteger, Computed("wall_ms / 3600000")),
    PrimaryKeyConstraint("company", "site", "box", "epoch", "sequence"),
    Index(
        "ix_records_reference",
        "company",
        "site",
        "reference",
        sqlite_where=text("reference <> ''"),
        postgresql_where=text("reference <> ''"),
    ),
    Index(
        "ix_records_journal_hour",
        "company",
        "site",
        "box",
        "epoch",
        "hour",
        "subject",
        sqlite_where=text("subject <> ''"),
        postgresql_where=text("subject <> ''"),
    ),
    sqlite_with_rowid=False,
)

# What the box learned of the true time, see `agreed.anchors`; each stands in the record it names.
anchors: Final = Table(
    "anchors",
    metadata,
    *names("company", "site", "box"),
    Column("epoch", LargeBinary, nullable=False),
    whole("sequence"),
    Column("boot", LargeBinary, nullable=False),  # 16 bytes
    Column("source", Integer, nullable=False),  # `agreed.anchors.AnchorSource`
    whole("mono_ns"),
    whole("lo_ns"),
    whole("hi_ns"),
    PrimaryKeyConstraint("company", "site", "box", "epoch", "sequence"),
    within("boxes", "company", "site", "box"),
    Index("ix_anchors_boot", "company", "site", "box", "boot", "mono_ns"),
)

# Times that anchors of the same boot put right, beside what the record claims: a function of
# anchors and records, computed again whenever an anchor comes. No row where the claim stands.
corrections: Final = Table(
    "corrections",
    metadata,
    *names("company", "site", "box"),
    Column("epoch", LargeBinary, nullable=False),
    whole("sequence"),
    name("subject"),  # of the record, for the index
    whole("wall_ms"),
    whole("bound_ms"),
    Column("clock_state", Integer, nullable=False),
    PrimaryKeyConstraint("company", "site", "box", "epoch", "sequence"),
    within("boxes", "company", "site", "box"),
    Index(
        "ix_corrections_subject",
        "company",
        "site",
        "subject",
        "wall_ms",
        sqlite_where=text("subject <> ''"),
        postgresql_where=text("subject <> ''"),
    ),
    sqlite_with_rowid=False,
)

workers: Final = Table(
    "workers",
    metadata,
    *names("company", "site", "worker"),
    Column("name", Text, nullable=False),
    whole("created_at_ms"),
    PrimaryKeyConstraint("company", "site", "worker"),
    within("sites", "company", "site"),
)

credentials: Final = Table(
    "credentials",
    metadata,
    *names("company", "site", "card", "subject", "role"),  # `agreed.directives.Role`
    whole("valid_from_ms"),
    whole("valid_until_ms"),
    whole("ended_at_ms", nullable=True),
    PrimaryKeyConstraint("company", "site", "card"),
    within("sites", "company", "site"),
)

# Product packs belong to the company; a version is never changed.
packs: Final = Table(
    "packs",
    metadata,
    *names("company", "pack"),
    whole("version"),
    Column("content", JSON, nullable=False),  # `cloud.settlement.packs.Pack`
    whole("published_at_ms"),
    PrimaryKeyConstraint("company", "pack", "version"),
    within("companies", "company"),
)

orders: Final = Table(
    "orders",
    metadata,
    *names("company", "site", "order_id", "pack"),
    whole("pack_version"),
    *names("worker", "resident", "status"),
    whole("booked_from_ms"),
    whole("booked_until_ms"),
    whole("income_fen"),
    Column("codes", JSON, nullable=False),  # list of `agreed.directives.Code`
    whole("created_at_ms"),
    whole("ended_at_ms", nullable=True),
    name("segment", server_default=""),  # of residents: mass, high-end, vulnerable
    PrimaryKeyConstraint("company", "site", "order_id"),
    within("sites", "company", "site"),
    ForeignKeyConstraint(
        ["company", "pack", "pack_version"], ["packs.company", "packs.pack", "packs.version"]
    ),
    one_of("status", ORDER_STATUSES),
    CheckConstraint("income_fen >= 0", name="income_not_negative"),
    Index("ix_orders_booked", "company", "site", "booked_from_ms"),
    Index("ix_orders_worker", "company", "site", "worker", "booked_from_ms"),
)

# One row per promised node. Fields as in `agreed.promises.Promise`; verdict, revision and
# score_bp are the newest row of `verdicts` again, so that a live count reads one index.
promises: Final = Table(
    "promises",
    metadata,
    *names("company", "site", "order_id", "node"),
    Column("position", Integer, nullable=False),  # within the order, from 0
    *names("worker", "node_kind"),
    Column("match", Integer, nullable=False),
    whole("opens_at_ms"),
    whole("promised_at_ms"),
    whole("tolerance_ms"),
    whole("hard_ms"),
    whole("at_risk_ms"),
    Column("early_bp_per_hour", Integer, nullable=False),
    Column("early_bp_max", Integer, nullable=False),
    Column("weight", Integer, nullable=False),
    Column("is_critical", Boolean, nullable=False),
    whole("rate_fen"),  # piece rate at full score
    whole("at_risk_at_ms"),  # promised + tolerance - at_risk
    whole("due_at_ms"),  # promised + tolerance
    whole("hard_at_ms"),  # promised + hard
    Column("is_withdrawn", Boolean, nullable=False, server_default=text("false")),
    Column("verdict", Integer, nullable=False, server_default="0"),
    whole("revision", server_default="0"),
    Column("score_bp", Integer, nullable=False, server_default="0"),
    Column("place", NAME, nullable=False, server_default=""),
    Column("weakest_evidence", Integer, nullable=False, server_default="3"),
    name("role", server_default=""),  # as what the worker does it; "" for the usual role
    whole("quantity", server_default="1"),  # pieces
    # Who shares the work besides the worker: list of {worker, role}.
    Column("crew", JSON, nullable=False, server_default="[]"),
    PrimaryKeyConstraint("company", "site", "order_id", "node"),
    within("orders", "company", "site", "order_id"),
    CheckConstraint("rate_fen >= 0", name="rate_not_negative"),
    Index("ix_promises_verdict", "company", "site", "verdict", "hard_at_ms"),
    Index("ix_promises_worker", "company", "site", "worker", "node_kind", "promised_at_ms"),
    Index("ix_promises_promised", "company", "site", "promised_at_ms"),
)

# Every verdict there ever was; the highest revision counts.
verdicts: Final = Table(
    "verdicts",
    metadata,
    *names("company", "site", "order_id", "node"),
    whole("revision"),  # from 1
    Column("verdict", Integer, nullable=False),
    whole("actual_at_ms", nullable=True),
    whole("bound_ms", nullable=True),  # null: the clock was never set, or nothing was seen
    whole("deviation_ms"),
    Column("score_bp", Integer, nullable=False),
    whole("covered_until_ms"),
    # The record that proves it; all null where nothing was seen.
    Column("box", NAME, nullable=True),
    Column("epoch", LargeBinary, nullable=True),
    whole("sequence", nullable=True),
    Column("block_hash", LargeBinary, nullable=True),
    whole("decided_at_ms"),
    PrimaryKeyConstraint("company", "site", "order_id", "node", "revision"),
    within("promises", "company", "site", "order_id", "node"),
    Index("ix_verdicts_decided", "company", "site", "decided_at_ms"),
)

directives: Final = Table(
    "directives",
    metadata,
    *names("company", "site", "box"),
    Column("stream", LargeBinary, nullable=False),
    whole("number"),  # from 1
    Column("content", Text, nullable=False),  # JSON, `agreed.directives`
    whole("issued_at_ms"),
    PrimaryKeyConstraint("company", "site", "box", "stream", "number"),
    within("boxes", "company", "site", "box"),
)

# Balances follow the transfers by trigger and can be changed in no other way.
accounts: Final = Table(
    "accounts",
    metadata,
    *names("company", "site", "account", "kind"),
    whole("debits_fen", server_default="0"),
    whole("credits_fen", server_default="0"),
    whole("last_transfer", server_default="0"),
    PrimaryKeyConstraint("company", "site", "account"),
    UniqueConstraint("company", "site", "account", "kind"),
    within("sites", "company", "site"),
    one_of("kind", ACCOUNT_KINDS),
    CheckConstraint(
        "kind = 'outside' OR (kind <> 'receivable' AND credits_fen >= debits_fen)"
        " OR (kind = 'receivable' AND debits_fen >= credits_fen)",
        name="not_overdrawn",
    ),
)

# One positive amount from one account to another: it cannot be out of balance.
transfers: Final = Table(
    "transfers",
    metadata,
    *names("company", "site"),
    whole("transfer"),  # number, from 1, in the order of posting
    name("key"),  # idempotency: the same key is never posted twice
    *names("kind", "debit", "debit_kind", "credit", "credit_kind"),
    whole("amount_fen"),
    whole("at_ms"),  # when the deed happened
    whole("recorded_at_ms"),  # when it was posted
    name("order_id"),  # "" for none
    Column("reason", JSON, nullable=False),
    name("period"),  # the month it belongs to; nothing but its payout enters a closed one
    PrimaryKeyConstraint("company", "site", "transfer"),
    UniqueConstraint("company", "site", "key"),
    *(
        ForeignKeyConstraint(
            ["company", "site", side, f"{side}_kind"],
            ["accounts.company", "accounts.site", "accounts.account", "accounts.kind"],
            name=f"fk_transfers_{side}",
        )
        for side in ("debit", "credit")
    ),
    one_of("kind", TRANSFER_KINDS),
    CheckConstraint("amount_fen > 0", name="amount_positive"),
    CheckConstraint("debit <> credit", name="two_accounts"),
    CheckConstraint(
        "kind = 'wage' OR (debit_kind NOT IN ('wage', 'wage_fund')"
        " AND credit_kind NOT IN ('wage', 'wage_fund'))",
        name="base_wages_untouched",
    ),
    CheckConstraint(
        "kind <> 'commission' OR (debit_kind = 'pool' AND credit_kind = 'commission')",
        name="commission_from_pool",
    ),
    CheckConstraint(
        "kind <> 'commission_reversal' OR (debit_kind = 'commission' AND credit_kind = 'pool')",
        name="reversal_to_pool",
    ),
    Index("ix_transfers_debit", "company", "site", "debit", "transfer"),
    Index("ix_transfers_credit", "company", "site", "credit", "transfer"),
    CheckConstraint(
        "kind <> 'payout' OR credit_kind = 'outside'",
        name="payout_leaves",
    ),
    CheckConstraint(
        "kind <> 'claim' OR (debit_kind = 'receivable' AND credit_kind = 'commission')",
        name="claim_on_worker",
    ),
    CheckConstraint("length(period) = 7", name="period_is_a_month"),
    Index("ix_transfers_order", "company", "site", "order_id"),
    Index("ix_transfers_period", "company", "site", "period", "kind"),
)

# What a worker's statement says, one line per decided node and one per reversal of it.
lines: Final = Table(
    "lines",
    metadata,
    *names("company", "site", "order_id", "node"),
    whole("revision"),  # of the verdict it pays, or takes back
    *names("kind", "worker", "status"),
    Column("verdict", Integer, nullable=False),
    whole("amount_fen"),  # signed; what is held or nothing was not posted
    whole("transfer", nullable=True),
    whole("at_ms"),  # when the deed happened, or was certainly missed
    whole("recorded_at_ms"),
    Column("reason", JSON, nullable=False),  # `cloud.settlement.reasons.Reason`
    name("period"),  # the month it belongs to
    PrimaryKeyConstraint("company", "site", "order_id", "node", "revision", "kind"),
    within("verdicts", "company", "site", "order_id", "node", "revision"),
    one_of("kind", LINE_KINDS),
    one_of("status", LINE_STATUSES),
    CheckConstraint("(status = 'posted') = (transfer IS NOT NULL)", name="posted_has_transfer"),
    Index("ix_lines_worker", "company", "site", "worker", "at_ms"),
    Index(
        "ix_lines_held",
        "company",
        "site",
        sqlite_where=text("status = 'held'"),
        postgresql_where=text("status = 'held'"),
    ),
    Index("ix_lines_period", "company", "site", "period", "at_ms"),
)
