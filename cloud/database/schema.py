"""What headquarters keeps: every table, on SQLite and on PostgreSQL alike.

Every key begins with the company, and with the site wherever there is one, so that a sharded
store can spread them. Money is whole fen, time is ms since the epoch, both BIGINT. The rules that
a table cannot state (append-only, balances) are triggers: see `guards`.
"""

from typing import Any, Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects import postgresql

_CONVENTION: Final = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(referred_table_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
}
metadata: Final = MetaData(naming_convention=_CONVENTION)

# Names sort by their bytes on both engines, whatever the server's locale.
NAME: Final = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")

BOX_STATUSES: Final = ("pending", "accepted", "retired")
ORDER_STATUSES: Final = ("open", "done", "cancelled")
LINE_STATUSES: Final = ("posted", "held", "nothing", "withdrawn")
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
)
TRANSFER_KINDS: Final = (
    "income",
    "waterfall",
    "income_reversal",
    "funding",
    "commission",
    "commission_reversal",
    "wage",
)


def _name(column: str, **options: Any) -> Column[str]:
    return Column(column, NAME, nullable=False, **options)


def _names(*columns: str) -> list[Column[str]]:
    return [_name(column) for column in columns]


def _whole(column: str, **options: Any) -> Column[int]:
    """Declare a whole number: ms, fen, a sequence, a count."""
    return Column(column, BigInteger, nullable=options.pop("nullable", False), **options)


def _one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


def _within(table: str, *columns: str) -> ForeignKeyConstraint:
    return ForeignKeyConstraint(columns, [f"{table}.{column}" for column in columns])


companies: Final = Table(
    "companies",
    metadata,
    _name("company"),
    Column("name", Text, nullable=False),
    Column("utc_offset_minutes", Integer, nullable=False, server_default="480"),
    _whole("created_at_ms"),
    PrimaryKeyConstraint("company"),
)

sites: Final = Table(
    "sites",
    metadata,
    *_names("company", "site"),
    Column("name", Text, nullable=False),
    # Had anything happened here by then, headquarters would know; ms, never goes back.
    _whole("covered_until_ms", server_default="0"),
    _whole("created_at_ms"),
    PrimaryKeyConstraint("company", "site"),
    _within("companies", "company"),
)

boxes: Final = Table(
    "boxes",
    metadata,
    *_names("company", "site", "box"),
    _name("status"),
    _whole("added_at_ms"),
    _whole("accepted_at_ms", nullable=True),
    # 16 bytes: the journal that spoke last; its chain is in `journals`.
    Column("epoch", LargeBinary, nullable=True),
    _whole("last_heard_at_ms", nullable=True),
    Column("is_online", Boolean, nullable=False, server_default=text("false")),
    _whole("presence_at_ms", nullable=True),
    Column("last_status", JSON(none_as_null=True), nullable=True),  # `messages.Status`
    _whole("last_status_at_ms", nullable=True),
    # Kind of the incident that waits for a person; its story is in `incidents`.
    Column("incident", NAME, nullable=True),
    Column("directive_stream", LargeBinary, nullable=False),  # 16 bytes
    _whole("directives_through", server_default="0"),
    _whole("applied_through", server_default="0"),
    # Raised to give the box another broker password.
    _whole("credential_number", server_default="0"),
    PrimaryKeyConstraint("company", "site", "box"),
    _within("sites", "company", "site"),
    _one_of("status", BOX_STATUSES),
)

journals: Final = Table(
    "journals",
    metadata,
    *_names("company", "site", "box"),
    Column("epoch", LargeBinary, nullable=False),  # 16 bytes
    _whole("begun_at_ms"),
    _whole("committed_through", server_default="0"),
    Column("committed_head", LargeBinary, nullable=False),  # 32 bytes
    # Latest wall time less its bound among the records with a set clock, ms; 0 for none.
    _whole("covered_until_ms", server_default="0"),
    # After a fork, until a person has looked.
    Column("is_refused", Boolean, nullable=False, server_default=text("false")),
    PrimaryKeyConstraint("company", "site", "box", "epoch"),
    _within("boxes", "company", "site", "box"),
)

incidents: Final = Table(
    "incidents",
    metadata,
    *_names("company", "site", "box"),
    _whole("incident"),  # number, from 1
    _name("kind"),  # forked, malformed, unknown
    _whole("at_ms"),
    Column("detail", JSON, nullable=False),
    _whole("resolved_at_ms", nullable=True),
    PrimaryKeyConstraint("company", "site", "box", "incident"),
    _within("boxes", "company", "site", "box"),
)

blocks: Final = Table(
    "blocks",
    metadata,
    *_names("company", "site", "box"),
    Column("epoch", LargeBinary, nullable=False),
    _whole("first"),
    _whole("last"),
    Column("boot", LargeBinary, nullable=False),  # 16 bytes
    Column("hash", LargeBinary, nullable=False),  # 32 bytes
    Column("previous", LargeBinary, nullable=False),  # 32 bytes
    Column("data", LargeBinary, nullable=False),  # as it came, see `agreed.wire`
    _whole("received_at_ms"),
    PrimaryKeyConstraint("company", "site", "box", "epoch", "first"),
    _within("journals", "company", "site", "box", "epoch"),
)

# Fields as in `agreed.records.Record`; block_first names the block of the same journal.
records: Final = Table(
    "records",
    metadata,
    *_names("company", "site", "box"),
    Column("epoch", LargeBinary, nullable=False),
    _whole("sequence"),
    _whole("wall_ms"),
    _whole("bound_ms"),
    _whole("mono_ns"),
    Column("clock_state", Integer, nullable=False),
    Column("evidence", Integer, nullable=False),
    *_names("device", "node_kind", "subject", "reference"),
    Column("detail", Text, nullable=False),
    _whole("block_first"),
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
        "ix_records_subject",
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
    *_names("company", "site", "worker"),
    Column("name", Text, nullable=False),
    _whole("created_at_ms"),
    PrimaryKeyConstraint("company", "site", "worker"),
    _within("sites", "company", "site"),
)

credentials: Final = Table(
    "credentials",
    metadata,
    *_names("company", "site", "card", "subject", "role"),  # `agreed.directives.Role`
    _whole("valid_from_ms"),
    _whole("valid_until_ms"),
    _whole("ended_at_ms", nullable=True),
    PrimaryKeyConstraint("company", "site", "card"),
    _within("sites", "company", "site"),
)

# Product packs belong to the company; a version is never changed.
packs: Final = Table(
    "packs",
    metadata,
    *_names("company", "pack"),
    _whole("version"),
    Column("content", JSON, nullable=False),  # `cloud.settlement.packs.Pack`
    _whole("published_at_ms"),
    PrimaryKeyConstraint("company", "pack", "version"),
    _within("companies", "company"),
)

orders: Final = Table(
    "orders",
    metadata,
    *_names("company", "site", "order_id", "pack"),
    _whole("pack_version"),
    *_names("worker", "resident", "status"),
    _whole("booked_from_ms"),
    _whole("booked_until_ms"),
    _whole("income_fen"),
    Column("codes", JSON, nullable=False),  # list of `agreed.directives.Code`
    _whole("created_at_ms"),
    _whole("ended_at_ms", nullable=True),
    PrimaryKeyConstraint("company", "site", "order_id"),
    _within("sites", "company", "site"),
    ForeignKeyConstraint(
        ["company", "pack", "pack_version"], ["packs.company", "packs.pack", "packs.version"]
    ),
    _one_of("status", ORDER_STATUSES),
    CheckConstraint("income_fen >= 0", name="income_not_negative"),
    Index("ix_orders_booked", "company", "site", "booked_from_ms"),
    Index("ix_orders_worker", "company", "site", "worker", "booked_from_ms"),
)

# One row per promised node. Fields as in `agreed.promises.Promise`; verdict, revision and
# score_bp are the newest row of `verdicts` again, so that a live count reads one index.
promises: Final = Table(
    "promises",
    metadata,
    *_names("company", "site", "order_id", "node"),
    Column("position", Integer, nullable=False),  # within the order, from 0
    *_names("worker", "node_kind"),
    Column("match", Integer, nullable=False),
    _whole("opens_at_ms"),
    _whole("promised_at_ms"),
    _whole("tolerance_ms"),
    _whole("hard_ms"),
    _whole("at_risk_ms"),
    Column("early_bp_per_hour", Integer, nullable=False),
    Column("early_bp_max", Integer, nullable=False),
    Column("weight", Integer, nullable=False),
    Column("is_critical", Boolean, nullable=False),
    _whole("rate_fen"),  # piece rate at full score
    _whole("at_risk_at_ms"),  # promised + tolerance - at_risk
    _whole("due_at_ms"),  # promised + tolerance
    _whole("hard_at_ms"),  # promised + hard
    Column("is_withdrawn", Boolean, nullable=False, server_default=text("false")),
    Column("verdict", Integer, nullable=False, server_default="0"),
    _whole("revision", server_default="0"),
    Column("score_bp", Integer, nullable=False, server_default="0"),
    Column("place", NAME, nullable=False, server_default=""),
    Column("weakest_evidence", Integer, nullable=False, server_default="3"),
    PrimaryKeyConstraint("company", "site", "order_id", "node"),
    _within("orders", "company", "site", "order_id"),
    CheckConstraint("rate_fen >= 0", name="rate_not_negative"),
    Index("ix_promises_verdict", "company", "site", "verdict", "hard_at_ms"),
    Index("ix_promises_worker", "company", "site", "worker", "node_kind", "promised_at_ms"),
    Index("ix_promises_promised", "company", "site", "promised_at_ms"),
)

# Every verdict there ever was; the highest revision counts.
verdicts: Final = Table(
    "verdicts",
    metadata,
    *_names("company", "site", "order_id", "node"),
    _whole("revision"),  # from 1
    Column("verdict", Integer, nullable=False),
    _whole("actual_at_ms", nullable=True),
    _whole("bound_ms", nullable=True),  # null: the clock was never set, or nothing was seen
    _whole("deviation_ms"),
    Column("score_bp", Integer, nullable=False),
    _whole("covered_until_ms"),
    # The record that proves it; all null where nothing was seen.
    Column("box", NAME, nullable=True),
    Column("epoch", LargeBinary, nullable=True),
    _whole("sequence", nullable=True),
    Column("block_hash", LargeBinary, nullable=True),
    _whole("decided_at_ms"),
    PrimaryKeyConstraint("company", "site", "order_id", "node", "revision"),
    _within("promises", "company", "site", "order_id", "node"),
    Index("ix_verdicts_decided", "company", "site", "decided_at_ms"),
)

directives: Final = Table(
    "directives",
    metadata,
    *_names("company", "site", "box"),
    Column("stream", LargeBinary, nullable=False),
    _whole("number"),  # from 1
    Column("content", Text, nullable=False),  # JSON, `agreed.directives`
    _whole("issued_at_ms"),
    PrimaryKeyConstraint("company", "site", "box", "stream", "number"),
    _within("boxes", "company", "site", "box"),
)

# Balances follow the transfers by trigger and can be changed in no other way.
accounts: Final = Table(
    "accounts",
    metadata,
    *_names("company", "site", "account", "kind"),
    _whole("debits_fen", server_default="0"),
    _whole("credits_fen", server_default="0"),
    _whole("last_transfer", server_default="0"),
    PrimaryKeyConstraint("company", "site", "account"),
    UniqueConstraint("company", "site", "account", "kind"),
    _within("sites", "company", "site"),
    _one_of("kind", ACCOUNT_KINDS),
    CheckConstraint("kind = 'outside' OR credits_fen >= debits_fen", name="not_overdrawn"),
)

# One positive amount from one account to another: it cannot be out of balance.
transfers: Final = Table(
    "transfers",
    metadata,
    *_names("company", "site"),
    _whole("transfer"),  # number, from 1, in the order of posting
    _name("key"),  # idempotency: the same key is never posted twice
    *_names("kind", "debit", "debit_kind", "credit", "credit_kind"),
    _whole("amount_fen"),
    _whole("at_ms"),  # when the deed happened
    _whole("recorded_at_ms"),  # when it was posted
    _name("order_id"),  # "" for none
    Column("reason", JSON, nullable=False),
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
    _one_of("kind", TRANSFER_KINDS),
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
    Index("ix_transfers_order", "company", "site", "order_id"),
)

# What a worker's statement says, one line per decided node and one per reversal of it.
lines: Final = Table(
    "lines",
    metadata,
    *_names("company", "site", "order_id", "node"),
    _whole("revision"),  # of the verdict it pays, or takes back
    *_names("kind", "worker", "status"),
    Column("verdict", Integer, nullable=False),
    _whole("amount_fen"),  # signed; what is held or nothing was not posted
    _whole("transfer", nullable=True),
    _whole("at_ms"),  # when the deed happened, or was certainly missed
    _whole("recorded_at_ms"),
    Column("reason", JSON, nullable=False),  # `cloud.settlement.reasons.Reason`
    PrimaryKeyConstraint("company", "site", "order_id", "node", "revision", "kind"),
    _within("verdicts", "company", "site", "order_id", "node", "revision"),
    _one_of("kind", LINE_KINDS),
    _one_of("status", LINE_STATUSES),
    CheckConstraint("(status = 'posted') = (transfer IS NOT NULL)", name="posted_has_transfer"),
    Index("ix_lines_worker", "company", "site", "worker", "at_ms"),
    Index("ix_lines_status", "company", "site", "status"),
)
