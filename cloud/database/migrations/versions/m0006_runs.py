"""Months, claims, people, settlement runs and disputes."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "m0006"
down_revision: Final = "m0005"
branch_labels: Final = None
depends_on: Final = None

NAME: Final = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")
RUN: Final = ["company", "site", "period", "run"]
ACCOUNT_CHECKS: Final = {
    "not_overdrawn": "kind = 'outside' OR (kind <> 'receivable' AND credits_fen >= debits_fen)"
    " OR (kind = 'receivable' AND debits_fen >= credits_fen)",
    "kind_known": "kind IN ('outside', 'income', 'supplier', 'platform', 'new_profit', 'retained',"
    " 'pool', 'commission', 'wage_fund', 'wage', 'receivable', 'unrecovered', 'escrow', 'wager',"
    " 'bonus', 'care')",
}
TRANSFER_CHECKS: Final = {
    "commission_from_pool": "kind <> 'commission' OR (debit_kind = 'pool'"
    " AND credit_kind = 'commission')",
    "reversal_to_pool": "kind <> 'commission_reversal' OR (debit_kind = 'commission'"
    " AND credit_kind = 'pool')",
    "base_wages_untouched": "kind = 'wage' OR (debit_kind NOT IN ('wage', 'wage_fund')"
    " AND credit_kind NOT IN ('wage', 'wage_fund'))",
    "kind_known": "kind IN ('income', 'waterfall', 'income_reversal', 'funding', 'commission',"
    " 'commission_reversal', 'wage', 'claim', 'fence', 'recovery', 'settlement',"
    " 'settlement_reversal', 'stake', 'adjustment', 'payout')",
    "amount_positive": "amount_fen > 0",
    "two_accounts": "debit <> credit",
    "payout_leaves": "kind <> 'payout' OR credit_kind = 'outside'",
    "claim_on_worker": "kind <> 'claim' OR (debit_kind = 'receivable'"
    " AND credit_kind = 'commission')",
    "period_is_a_month": "length(period) = 7",
}
LINE_CHECKS: Final = {
    "posted_has_transfer": "(status = 'posted') = (transfer IS NOT NULL)",
    "kind_known": "kind IN ('pay', 'reversal')",
    "status_known": "status IN ('posted', 'held', 'nothing', 'withdrawn', 'manual')",
}
INDEXES: Final = {
    "transfers": {
        "debit": ["debit", "transfer"],
        "credit": ["credit", "transfer"],
        "order": ["order_id"],
        "period": ["period", "kind"],
    },
    "lines": {
        "status": ["status"],
        "worker": ["worker", "at_ms"],
        "period": ["period", "worker"],
    },
}
MONTH_SQLITE: Final = """strftime('%Y-%m', at_ms / 1000 + 60 * (SELECT utc_offset_minutes
    FROM companies WHERE companies.company = {table}.company), 'unixepoch')"""
MONTH_POSTGRESQL: Final = """to_char(to_timestamp(at_ms / 1000 + 60 * (SELECT utc_offset_minutes
    FROM companies WHERE companies.company = {table}.company)) AT TIME ZONE 'UTC', 'YYYY-MM')"""
ONLY_GROW: Final = ("run_acts", "run_lines")
NEVER_SHRINK: Final = ("users", "runs", "disputes")
RUN_FACTS: Final = "company, site, period, run, hash, plan, prepared_by, prepared_at_ms"
DISPUTE_FACTS: Final = (
    "company, site, dispute, worker, period, line, claim, opened_by, opened_at_ms"
)
ONE_WAY: Final = """OLD.status || '>' || NEW.status NOT IN ('previewed>reviewed',
    'reviewed>approved', 'approved>posted', 'posted>paid', 'previewed>discarded',
    'reviewed>discarded', 'approved>discarded')"""


def upgrade() -> None:
    """Add months to what is posted, then the new tables and their guards."""
    op.add_column("sites", sa.Column("closed_through", NAME, server_default="", nullable=False))
    op.add_column(
        "companies",
        sa.Column("minimum_wage_fen", sa.BigInteger(), server_default="0", nullable=False),
    )
    _runs()
    _run_details()
    _disputes()
    if op.get_bind().dialect.name == "sqlite":
        _rebuild_sqlite()
        guards = _guards_sqlite()
    else:
        _change_postgresql()
        guards = _guards_postgresql()
    for table, indexes in INDEXES.items():
        for name, columns in indexes.items():
            if name == "period" or op.get_bind().dialect.name == "sqlite":
                op.create_index(f"ix_{table}_{name}", table, ["company", "site", *columns])
    for statement in guards:
        op.execute(statement)


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, NAME, nullable=False) for name in names]


def _whole(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger(), nullable=False) for name in names]


def _checks(table: str, rules: dict[str, str]) -> list[sa.CheckConstraint]:
    return [sa.CheckConstraint(r, name=op.f(f"ck_{table}_{n}")) for n, r in rules.items()]


def _of_site(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["company", "site"], ["sites.company", "sites.site"], name=op.f(f"fk_{table}_sites")
    )


def _of_run(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        RUN, [f"runs.{column}" for column in RUN], name=op.f(f"fk_{table}_runs")
    )


def _runs() -> None:
    op.create_table(
        "users",
        *_text("company", "user_id"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        *_text("token_hash"),
        *_whole("created_at_ms"),
        sa.Column("ended_at_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("company", "user_id", name=op.f("pk_users")),
        sa.ForeignKeyConstraint(
            ["company"], ["companies.company"], name=op.f("fk_users_companies")
        ),
    )
    live = sa.text("status <> 'discarded'")
    op.create_table(
        "runs",
        *_text("company", "site", "period"),
        *_whole("run"),
        *_text("status", "hash", "plan", "prepared_by"),
        *_whole("prepared_at_ms"),
        sa.Column("approved_by", NAME, nullable=True),
        sa.PrimaryKeyConstraint(*RUN, name=op.f("pk_runs")),
        _of_site("runs"),
        *_checks(
            "runs",
            {
                "status_known": "status IN ('previewed', 'reviewed', 'approved', 'posted',"
                " 'paid', 'discarded')",
                "period_is_a_month": "length(period) = 7",
                "second_person": "approved_by IS NULL OR approved_by <> prepared_by",
                "approved_by_somebody": "status NOT IN ('approved', 'posted', 'paid')"
                " OR approved_by IS NOT NULL",
            },
        ),
    )
    op.create_index(
        "uq_runs_live",
        "runs",
        ["company", "site", "period"],
        unique=True,
        sqlite_where=live,
        postgresql_where=live,
    )


def _run_details() -> None:
    op.create_table(
        "run_acts",
        *_text("company", "site", "period"),
        *_whole("run", "act"),
        *_text("status", "who"),
        *_whole("at_ms"),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint(*RUN, "act", name=op.f("pk_run_acts")),
        _of_run("run_acts"),
    )
    op.create_table(
        "run_lines",
        *_text("company", "site", "period"),
        *_whole("run", "position"),
        *_text("payee", "rule"),
        *_whole("amount_fen"),
        sa.Column("formula", sa.Text(), nullable=False),
        sa.Column("inputs", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint(*RUN, "position", name=op.f("pk_run_lines")),
        _of_run("run_lines"),
    )


def _disputes() -> None:
    op.create_table(
        "disputes",
        *_text("company", "site"),
        *_whole("dispute"),
        *_text("worker", "period", "line"),
        sa.Column("claim", sa.Text(), nullable=False),
        *_text("opened_by"),
        *_whole("opened_at_ms"),
        *_text("status"),
        sa.Column("amount_fen", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("decided_by", NAME, nullable=True),
        sa.Column("decided_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("decision", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("company", "site", "dispute", name=op.f("pk_disputes")),
        _of_site("disputes"),
        *_checks(
            "disputes",
            {
                "status_known": "status IN ('open', 'granted', 'refused')",
                "decided_by_somebody": "(status = 'open') = (decided_by IS NULL)",
                "granted_amount": "amount_fen >= 0 AND (status = 'granted') = (amount_fen > 0)",
            },
        ),
    )
    op.create_index(
        "ix_disputes_worker", "disputes", ["company", "site", "worker", "period"], unique=False
    )


def _rebuild_sqlite() -> None:
    # SQLite changes no constraint in place: copy, and drop the old ones children first.
    _accounts_copy()
    _transfers_copy()
    _lines_copy()
    op.execute("INSERT INTO accounts_new SELECT * FROM accounts")
    for table in ("transfers", "lines"):
        month = MONTH_SQLITE.format(table=table)
        op.execute(f"INSERT INTO {table}_new SELECT *, {month} FROM {table}")  # noqa: S608  # ours
    for table in ("transfers", "lines", "accounts"):
        op.drop_table(table)
    for table in ("accounts", "transfers", "lines"):
        op.rename_table(f"{table}_new", table)


def _accounts_copy() -> None:
    op.create_table(
        "accounts_new",
        *_text("company", "site", "account", "kind"),
        *(
            sa.Column(name, sa.BigInteger(), server_default="0", nullable=False)
            for name in ("debits_fen", "credits_fen", "last_transfer")
        ),
        *_checks("accounts", ACCOUNT_CHECKS),
        _of_site("accounts"),
        sa.PrimaryKeyConstraint("company", "site", "account", name=op.f("pk_accounts")),
        sa.UniqueConstraint(
            "company", "site", "account", "kind", name=op.f("uq_accounts_company_site_account_kind")
        ),
    )


def _transfers_copy() -> None:
    sides = [
        sa.ForeignKeyConstraint(
            ["company", "site", side, f"{side}_kind"],
            [f"accounts_new.{column}" for column in ("company", "site", "account", "kind")],
            name=f"fk_transfers_{side}",
        )
        for side in ("debit", "credit")
    ]
    op.create_table(
        "transfers_new",
        *_text("company", "site"),
        *_whole("transfer"),
        *_text("key", "kind", "debit", "debit_kind", "credit", "credit_kind"),
        *_whole("amount_fen", "at_ms", "recorded_at_ms"),
        *_text("order_id"),
        sa.Column("reason", sa.JSON(), nullable=False),
        *_text("period"),
        *_checks("transfers", TRANSFER_CHECKS),
        *sides,
        sa.PrimaryKeyConstraint("company", "site", "transfer", name=op.f("pk_transfers")),
        sa.UniqueConstraint("company", "site", "key", name=op.f("uq_transfers_company_site_key")),
    )


def _lines_copy() -> None:
    verdict = ("company", "site", "order_id", "node", "revision")
    op.create_table(
        "lines_new",
        *_text("company", "site", "order_id", "node"),
        *_whole("revision"),
        *_text("kind", "worker", "status"),
        sa.Column("verdict", sa.Integer(), nullable=False),
        *_whole("amount_fen"),
        sa.Column("transfer", sa.BigInteger(), nullable=True),
        *_whole("at_ms", "recorded_at_ms"),
        sa.Column("reason", sa.JSON(), nullable=False),
        *_text("period"),
        *_checks("lines", LINE_CHECKS),
        sa.ForeignKeyConstraint(
            verdict, [f"verdicts.{column}" for column in verdict], name=op.f("fk_lines_verdicts")
        ),
        sa.PrimaryKeyConstraint(*verdict, "kind", name=op.f("pk_lines")),
    )


def _change_postgresql() -> None:
    for table, rules in (
        ("accounts", ACCOUNT_CHECKS),
        ("transfers", TRANSFER_CHECKS),
        ("lines", LINE_CHECKS),
    ):
        for name, rule in rules.items():
            full = f"ck_{table}_{name}"
            op.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {full}")
            if name != "period_is_a_month":
                op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {full} CHECK ({rule})")
    for table in ("transfers", "lines"):
        month = MONTH_POSTGRESQL.format(table=table)
        op.execute(f'ALTER TABLE {table} ADD COLUMN period TEXT COLLATE "C"')
        op.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        op.execute(f"UPDATE {table} SET period = {month}")  # noqa: S608  # our own names
        op.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        op.execute(f"ALTER TABLE {table} ALTER COLUMN period SET NOT NULL")
    rule = TRANSFER_CHECKS["period_is_a_month"]
    op.execute(
        f"ALTER TABLE transfers ADD CONSTRAINT ck_transfers_period_is_a_month CHECK ({rule})"
    )


def _guards_sqlite() -> list[str]:
    def refuse(table: str, act: str, message: str, when: str = "", name: str = "") -> str:
        name = name or f"{table}_{act.split(maxsplit=1)[0].lower()}"
        return (
            f"CREATE TRIGGER {name} BEFORE {act} ON {table} {when} "
            f"BEGIN SELECT RAISE(ABORT, '{table}: {message}'); END"
        )

    facts = (
        "company, site, order_id, node, revision, kind, worker, verdict, amount_fen, at_ms,"
        " recorded_at_ms, reason"
    )
    grow = ("transfers", *ONLY_GROW)
    shrink = ("transfers", "lines", "accounts", *ONLY_GROW, *NEVER_SHRINK)
    return [
        *(refuse(table, "UPDATE", "only grows") for table in grow),
        *(refuse(table, "DELETE", "only grows") for table in shrink),
        refuse("lines", f"UPDATE OF {facts}", "a line stays as written"),
        refuse(
            "lines",
            "UPDATE OF status, transfer, period",
            "only what is held may change",
            "WHEN NOT (OLD.status = 'held' AND OLD.transfer IS NULL"
            " AND NEW.status IN ('posted', 'withdrawn'))",
            "lines_status",
        ),
        refuse("runs", f"UPDATE OF {RUN_FACTS}", "a run stays as prepared"),
        refuse("runs", "UPDATE OF status", "one way only", f"WHEN {ONE_WAY}", "runs_status"),
        refuse("disputes", f"UPDATE OF {DISPUTE_FACTS}", "a dispute stays as opened"),
        refuse(
            "disputes",
            "UPDATE OF status, amount_fen, decided_by, decided_at_ms, decision",
            "decided once",
            "WHEN OLD.status <> 'open'",
            "disputes_status",
        ),
        refuse(
            "sites",
            "UPDATE OF closed_through",
            "a closed month stays closed",
            "WHEN NEW.closed_through < OLD.closed_through",
            "sites_closed",
        ),
        refuse(
            "accounts",
            "INSERT",
            "begin empty",
            "WHEN NEW.debits_fen <> 0 OR NEW.credits_fen <> 0 OR NEW.last_transfer <> 0"
            " OR EXISTS (SELECT 1 FROM accounts WHERE company = NEW.company"
            " AND site = NEW.site AND account = NEW.account)",
        ),
        refuse(
            "transfers",
            "INSERT",
            "number or key is in use, or its month is closed",
            "WHEN EXISTS (SELECT 1 FROM transfers WHERE company = NEW.company"
            " AND site = NEW.site AND transfer >= NEW.transfer)"
            " OR EXISTS (SELECT 1 FROM transfers WHERE company = NEW.company"
            " AND site = NEW.site AND key = NEW.key)"
            " OR (NEW.kind <> 'payout' AND NEW.period <= (SELECT closed_through FROM sites"
            " WHERE company = NEW.company AND site = NEW.site))",
        ),
        """CREATE TRIGGER accounts_update BEFORE UPDATE ON accounts
        WHEN NOT (NEW.company = OLD.company AND NEW.site = OLD.site AND NEW.account = OLD.account
            AND NEW.kind = OLD.kind AND NEW.last_transfer > OLD.last_transfer
            AND EXISTS (SELECT 1 FROM transfers WHERE company = OLD.company AND site = OLD.site
                AND transfer = NEW.last_transfer AND (
                    (debit = OLD.account AND NEW.credits_fen = OLD.credits_fen
                        AND NEW.debits_fen = OLD.debits_fen + amount_fen)
                    OR (credit = OLD.account AND NEW.debits_fen = OLD.debits_fen
                        AND NEW.credits_fen = OLD.credits_fen + amount_fen))))
        BEGIN SELECT RAISE(ABORT, 'accounts: follow the transfers'); END""",
        """CREATE TRIGGER transfers_post AFTER INSERT ON transfers BEGIN
        UPDATE accounts SET debits_fen = debits_fen + NEW.amount_fen, last_transfer = NEW.transfer
            WHERE company = NEW.company AND site = NEW.site AND account = NEW.debit;
        UPDATE accounts SET credits_fen = credits_fen + NEW.amount_fen, last_transfer = NEW.transfer
            WHERE company = NEW.company AND site = NEW.site AND account = NEW.credit;
        END""",
    ]


def _guards_postgresql() -> list[str]:
    def refuse(name: str, event: str, message: str, *, each: str = "ROW", when: str = "") -> str:
        return (
            f"CREATE TRIGGER {name} BEFORE {event} FOR EACH {each} {when} "
            f"EXECUTE FUNCTION duifu_refuse('{message}')"
        )

    guards = [refuse(f"{table}_update", f"UPDATE ON {table}", "only grows") for table in ONLY_GROW]
    for table in (*ONLY_GROW, *NEVER_SHRINK):
        guards.append(refuse(f"{table}_delete", f"DELETE ON {table}", "only grows"))
        guards.append(
            refuse(f"{table}_truncate", f"TRUNCATE ON {table}", "only grows", each="STATEMENT")
        )
    return [
        *guards,
        refuse(
            "lines_period",
            "UPDATE OF period ON lines",
            "only what is held may change",
            when="WHEN (OLD.status <> 'held')",
        ),
        refuse("runs_facts", f"UPDATE OF {RUN_FACTS} ON runs", "a run stays as prepared"),
        refuse("runs_status", "UPDATE OF status ON runs", "one way only", when=f"WHEN ({ONE_WAY})"),
        refuse("disputes_facts", f"UPDATE OF {DISPUTE_FACTS} ON disputes", "stays as opened"),
        refuse(
            "disputes_status",
            "UPDATE OF status, amount_fen, decided_by, decided_at_ms, decision ON disputes",
            "decided once",
            when="WHEN (OLD.status <> 'open')",
        ),
        refuse(
            "sites_closed",
            "UPDATE OF closed_through ON sites",
            "a closed month stays closed",
            when="WHEN (NEW.closed_through < OLD.closed_through)",
        ),
        """CREATE FUNCTION duifu_refuse_closed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF EXISTS (SELECT 1 FROM (SELECT company, site, min(period) AS period FROM posted
                WHERE kind <> 'payout' GROUP BY company, site) first JOIN sites
                ON sites.company = first.company AND sites.site = first.site
                WHERE first.period <= sites.closed_through) THEN
            RAISE EXCEPTION 'transfers: its month is closed' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NULL; END $$""",
        """CREATE TRIGGER transfers_closed AFTER INSERT ON transfers REFERENCING NEW TABLE AS posted
        FOR EACH STATEMENT EXECUTE FUNCTION duifu_refuse_closed()""",
    ]
