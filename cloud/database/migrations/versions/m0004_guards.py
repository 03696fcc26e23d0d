"""Rules that no program can break: evidence and books only grow, balances follow transfers."""

from typing import Final

from alembic import op

revision: Final = "m0004"
down_revision: Final = "m0003"
branch_labels: Final = None
depends_on: Final = None

ONLY_GROW: Final = ("blocks", "records", "directives", "packs", "verdicts", "transfers")
NEVER_SHRINK: Final = ("promises", "accounts", "lines")
TERMS: Final = (
    "company, site, order_id, node, worker, node_kind, match, opens_at_ms, promised_at_ms,"
    " tolerance_ms, hard_ms, at_risk_ms, early_bp_per_hour, early_bp_max, weight, is_critical,"
    " rate_fen, at_risk_at_ms, due_at_ms, hard_at_ms"
)
LINE_FACTS: Final = (
    "company, site, order_id, node, revision, kind, worker, verdict, amount_fen, at_ms,"
    " recorded_at_ms, reason"
)


def upgrade() -> None:
    """Create the triggers of the engine in use."""
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in _sqlite() if is_sqlite else _postgresql():
        op.execute(statement)


def _sqlite() -> list[str]:
    def refuse(table: str, act: str, message: str, when: str = "") -> str:
        name = f"{table}_{act.split(maxsplit=1)[0].lower()}"
        return (
            f"CREATE TRIGGER {name} BEFORE {act} ON {table} {when} "
            f"BEGIN SELECT RAISE(ABORT, '{table}: {message}'); END"
        )

    guards = [refuse(table, "UPDATE", "only grows") for table in ONLY_GROW]
    guards += [refuse(table, "DELETE", "only grows") for table in ONLY_GROW + NEVER_SHRINK]
    guards += [
        refuse("promises", f"UPDATE OF {TERMS}", "terms stay as agreed"),
        refuse("lines", f"UPDATE OF {LINE_FACTS}", "a line stays as written"),
        _replace_status("lines", "BEFORE UPDATE OF status, transfer ON lines"),
        """CREATE TRIGGER transfers_insert BEFORE INSERT ON transfers
        WHEN EXISTS (SELECT 1 FROM transfers WHERE company = NEW.company AND site = NEW.site
            AND (transfer >= NEW.transfer OR key = NEW.key))
        BEGIN SELECT RAISE(ABORT, 'transfers: number or key is in use'); END""",
        """CREATE TRIGGER accounts_insert BEFORE INSERT ON accounts
        WHEN NEW.debits_fen <> 0 OR NEW.credits_fen <> 0 OR NEW.last_transfer <> 0
            OR EXISTS (SELECT 1 FROM accounts WHERE company = NEW.company AND site = NEW.site
                AND account = NEW.account)
        BEGIN SELECT RAISE(ABORT, 'accounts: begin empty'); END""",
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
    return guards


def _replace_status(table: str, event: str) -> str:
    return f"""CREATE TRIGGER {table}_status {event}
    WHEN NOT (OLD.status = 'held' AND OLD.transfer IS NULL
        AND NEW.status IN ('posted', 'withdrawn'))
    BEGIN SELECT RAISE(ABORT, '{table}: only what is held may change'); END"""


def _postgresql() -> list[str]:
    guards = [
        """CREATE FUNCTION duifu_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION '%: %', TG_TABLE_NAME, TG_ARGV[0]; END $$"""
    ]

    def refuse(name: str, event: str, message: str, *, each: str = "ROW", when: str = "") -> str:
        return (
            f"CREATE TRIGGER {name} BEFORE {event} FOR EACH {each} {when} "
            f"EXECUTE FUNCTION duifu_refuse('{message}')"
        )

    guards += [refuse(f"{table}_update", f"UPDATE ON {table}", "only grows") for table in ONLY_GROW]
    for table in ONLY_GROW + NEVER_SHRINK:
        guards.append(refuse(f"{table}_delete", f"DELETE ON {table}", "only grows"))
        guards.append(
            refuse(f"{table}_truncate", f"TRUNCATE ON {table}", "only grows", each="STATEMENT")
        )
    changes = "WHEN (pg_trigger_depth() = 0)"
    guards += [
        refuse("promises_terms", f"UPDATE OF {TERMS} ON promises", "terms stay as agreed"),
        refuse("lines_facts", f"UPDATE OF {LINE_FACTS} ON lines", "a line stays as written"),
        refuse(
            "lines_status",
            "UPDATE OF status, transfer ON lines",
            "only what is held may change",
            when="WHEN (NOT (OLD.status = 'held' AND OLD.transfer IS NULL"
            " AND NEW.status IN ('posted', 'withdrawn')))",
        ),
        refuse("accounts_update", "UPDATE ON accounts", "follow the transfers", when=changes),
        refuse(
            "accounts_insert",
            "INSERT ON accounts",
            "begin empty",
            when="WHEN (NEW.debits_fen <> 0 OR NEW.credits_fen <> 0 OR NEW.last_transfer <> 0)",
        ),
    ]
    return [*guards, *_postgresql_posting()]


def _postgresql_posting() -> list[str]:
    # Once per statement: a thousand lines against one pool change its row once.
    return [
        """CREATE FUNCTION duifu_post() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        UPDATE accounts SET debits_fen = accounts.debits_fen + moved.debits,
            credits_fen = accounts.credits_fen + moved.credits, last_transfer = moved.transfer
        FROM (SELECT company, site, account, sum(debits) AS debits, sum(credits) AS credits,
                max(transfer) AS transfer
            FROM (SELECT company, site, debit AS account, amount_fen AS debits, 0 AS credits,
                    transfer FROM posted
                UNION ALL SELECT company, site, credit, 0, amount_fen, transfer FROM posted) legs
            GROUP BY company, site, account) moved
        WHERE accounts.company = moved.company AND accounts.site = moved.site
            AND accounts.account = moved.account;
        RETURN NULL; END $$""",
        """CREATE TRIGGER transfers_post AFTER INSERT ON transfers REFERENCING NEW TABLE AS posted
        FOR EACH STATEMENT EXECUTE FUNCTION duifu_post()""",
    ]
