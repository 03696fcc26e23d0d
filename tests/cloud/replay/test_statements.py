import csv
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agreed.promises import Verdict
from agreed.words import RemedyError
from cloud.database.views import Counts, LineView, Statement
from cloud.replay.statements import COLUMNS, file_name, iso, make_folder, write_statements
from cloud.settlement.reasons import ProvenBy, Reason

PROOF = ProvenBy(box="replay", epoch="ab" * 16, sequence=7, block_hash="cd" * 32)


def line(fen: int, order: str = "o1", proof: ProvenBy | None = PROOF) -> LineView:
    reason = Reason(
        order_id=order,
        node="closed",
        pack="repair",
        pack_version=1,
        name_zh="办结",
        name_en="closed",
        revision=1,
        verdict="kept",
        promised_at_ms=1_709_611_200_000,
        tolerance_ms=0,
        hard_ms=60_000,
        actual_at_ms=1_709_611_199_999 if proof else None,
        bound_ms=0,
        deviation_ms=-1,
        score_bp=10_000,
        rate_fen=fen,
        amount_fen=fen,
        formula=f"{fen} fen × 10000 bp ÷ 10000 = {fen} fen",
        covered_until_ms=0,
        evidence=proof,
    )
    verdict = Verdict.KEPT
    place = ("north", "w1", order, "closed", 1, "pay", "posted", verdict)
    return LineView(*place, fen, 4, 1, 2, reason, "1970-01")


def statement(worker: str, *lines: LineView) -> Statement:
    earned = sum(each.amount_fen for each in lines)
    return Statement(
        "yuehua", worker, worker, 0, 1, list(lines), earned, 0, 0, earned, Counts(), None
    )


def rows(path: Path) -> list[list[str]]:
    return list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))


def test_one_file_per_resource_and_one_of_totals(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "statements"
    make_folder(folder)
    write_statements(
        folder, [statement("w1", line(500), line(300, "=o2", None)), statement("王/五", line(7))]
    )
    header, first, second = rows(folder / "statement-w1.csv")
    assert tuple(header) == COLUMNS
    row = dict(zip(header, first, strict=True))
    assert row["promised_at"] == "2024-03-05T04:00:00.000Z"
    assert row["actual_at"] == "2024-03-05T03:59:59.999Z"
    assert (row["order"], row["verdict"], row["amount_fen"]) == ("o1", "kept", "500")
    assert (row["box"], row["sequence"]) == ("replay", "7")
    assert (second[0], second[-1]) == ("'=o2", "")
    assert rows(folder / "totals.csv")[1:] == [
        ["w1", "2", "800", "0", "statement-w1.csv"],
        ["王/五", "1", "7", "0", file_name("王/五")],
    ]


def test_names_of_resources_are_safe_names_of_files_and_stay_apart() -> None:
    workers = ["w1", "W1", "w/1", "w_1", "..", "../w1", "王五", "王 五", "", "a" * 64]
    names = [file_name(worker) for worker in workers]
    assert len({name.lower() for name in names}) == len(workers)
    assert all("/" not in name and name.startswith("statement-") for name in names)
    assert names[0] == "statement-w1.csv"
    assert names[6] == "statement-王五.csv"


def test_a_folder_that_cannot_be_written_names_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RemedyError, match="cannot be written"):
        write_statements(tmp_path / "file", [])
    with pytest.raises(RemedyError, match="cannot be written"):
        make_folder(tmp_path / "file")


@given(st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31)))  # noqa: DTZ001
def test_times_are_written_exactly(naive: datetime) -> None:
    moment = naive.replace(microsecond=naive.microsecond // 1000 * 1000, tzinfo=UTC)
    at_ms = int(moment.replace(microsecond=0).timestamp()) * 1000 + moment.microsecond // 1000
    assert datetime.fromisoformat(iso(at_ms)) == moment


def test_an_unknown_time_is_empty() -> None:
    assert not iso(None)
