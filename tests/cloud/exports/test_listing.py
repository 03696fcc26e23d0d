"""Lists hold the whole set, with the proof of every line."""

import json

from cloud.database.engine import reading
from cloud.database.month_statements import month_statement
from cloud.database.read_ledger import accounts, transfers
from cloud.exports import listing
from cloud.office.settling import Settling, list_runs
from tests.cloud.office.test_settling import LIN, MONTH, NOW, through, work
from tests.cloud.world import PLACE, World


def test_a_payroll_file_holds_what_is_paid(world: World) -> None:
    work(world)
    run = through(Settling(world.engine, PLACE))
    rows = [dict(zip(listing.PAYROLL_COLUMNS, r, strict=True)) for r in listing.payroll_rows(run)]
    assert [(r["payee"], r["kind"], r["payable_fen"]) for r in rows] == [
        ("w-1", "commission", 3_001),
        ("w-2", "commission", 500),
        ("clean-co", "supplier", 12_000),
    ]
    assert all(row["hash"] == run.hash for row in rows)
    with reading(world.engine) as connection:
        [row] = listing.run_rows(list_runs(connection, "acme"))
    assert row[:4] == ("north", MONTH, 1, "paid")


def test_a_statement_file_adds_up_and_proves_itself(world: World) -> None:
    work(world)
    Settling(world.engine, PLACE).preview(MONTH, LIN, NOW)
    with reading(world.engine) as connection:
        statement = month_statement(connection, PLACE, "commission:w-1", MONTH)
        held = listing.account_rows(accounts(connection, "acme"))
        moved = listing.transfer_rows(transfers(connection, "acme"), listing.local_stamp(480))
    content = listing.written(
        "json",
        "x",
        "",
        listing.STATEMENT_COLUMNS,
        listing.statement_rows(statement, listing.local_stamp(480)),
    )
    rows = json.loads(content)
    assert [row["section"] for row in rows] == [
        "opening",
        "line",
        "line",
        "payable",
        "paid",
        "closing",
    ]
    line = rows[1]
    assert line["formula"] == "500 fen × 10000 bp ÷ 10000 = 500 fen"
    assert (line["box"], line["sequence"], line["pack_version"]) == ("gate-box", 1, 1)
    assert len(line["block_hash"]) == 64
    assert line["at"].endswith("+08:00")
    assert sum(row["amount_fen"] for row in rows[:3]) == rows[3]["amount_fen"] == 3_001
    assert len(held[0]) == len(listing.ACCOUNT_COLUMNS)
    assert len(moved[0]) == len(listing.TRANSFER_COLUMNS)


def test_every_form_is_written() -> None:
    for form in listing.FORMS:
        assert listing.written(form, "t", "s", ("a",), [("王",)])
        assert form in listing.MEDIA
