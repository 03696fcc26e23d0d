from cloud.settlement.facts import Team
from cloud.settlement.front_line import (
    by_person,
    override_lines,
    person_lines,
    pool_lines,
    scaled_up,
)
from cloud.settlement.pieces import Seat, Work
from cloud.settlement.results import Nothing, Rule
from tests.cloud.settlement.small_month import plan

BANDS = {
    "bands": [
        {"from_fen": 0, "to_fen": 10_000, "rate_bp": 10_000},
        {"from_fen": 10_000, "rate_bp": 12_000},
    ]
}
POOL = {
    "key": "star",
    "name_zh": "星级奖",
    "name_en": "Star pool",
    "share_bp": 1_000,
    "basis": "pieces",
    "weights": [["cleaner", 2], ["guard", 1]],
}
WORK = {
    Seat("w-1", "cleaner", "east"): Work(9_000, 4, 4, 0, 3, 29_000),
    Seat("w-1", "guard", "west"): Work(3_000, 2, 2, 0, 2, 20_000),
    Seat("w-2", "guard", "east"): Work(5_001, 3, 3, 0, 3, 30_000),
    Seat("w-9", "cleaner", "east"): Work(700, 1, 1, 0, 1, 10_000),
}


def amounts(worker_work: Work, **changes: object) -> dict[Rule, int]:
    lines = person_lines(plan(**changes), "w-1", worker_work)
    return {line.rule: line.amount_fen for line in lines}


def test_a_person_is_paid_once_for_all_roles() -> None:
    people = by_person(WORK, ["w-0"])
    assert people["w-1"] == Work(12_000, 6, 6, 0, 5, 49_000)
    assert amounts(people["w-1"], tiers=BANDS) == {Rule.PIECE: 12_000, Rule.TIER: 400}
    zero = person_lines(plan(), "w-0", people["w-0"])[0]
    assert (zero.amount_fen, zero.nothing) == (0, Nothing.NO_WORK)


def test_more_above_the_target_then_cap_and_floor() -> None:
    work = Work(12_000, 6, 6, 0, 5, 49_000)
    accelerator = {"target_fen": 11_000, "extra_bp": 5_000}
    assert amounts(work, accelerator=accelerator)[Rule.ACCELERATOR] == 500
    assert amounts(work, accelerator=accelerator, tiers=BANDS, cap_fen=12_500)[Rule.CAP] == -400
    assert amounts(work, floor_fen=13_000)[Rule.FLOOR] == 1_000
    assert Rule.ACCELERATOR not in amounts(work, accelerator=accelerator | {"target_fen": 12_000})


def test_the_floor_is_for_those_who_did_something() -> None:
    assert Rule.FLOOR not in amounts(Work(nodes=2, rated=2), floor_fen=13_000)


def test_zero_says_why() -> None:
    def why(work: Work) -> Nothing | None:
        return person_lines(plan(), "w-1", work)[0].nothing

    assert why(Work(nodes=2, rated=2)) is Nothing.NO_SCORE
    assert why(Work(nodes=2)) is Nothing.NO_RATE
    assert why(Work(nodes=2, rated=2, refunded=2)) is Nothing.REFUNDED


def test_a_leader_gets_a_part_of_what_the_others_earn() -> None:
    teams = [Team("east", leader="w-9"), Team("west", leader="w-1"), Team("north")]
    lines = override_lines(plan(override={"share_bp": 500}), WORK, teams)
    assert [(line.payee.name, line.subject, line.amount_fen) for line in lines] == [
        ("commission:w-9", "east", 700),  # 5 % of 9,000 + 5,001
        ("commission:w-1", "west", 0),  # nobody else works there
    ]
    assert lines[1].nothing is Nothing.NO_WORK
    assert override_lines(plan(), WORK, teams) == []


def test_a_pool_is_divided_exactly_over_all_roles_of_a_person() -> None:
    lines = pool_lines(plan(pools=[POOL]), WORK, 10_007)
    assert {line.payee.name: line.amount_fen for line in lines} == {
        "commission:w-1": 616,  # 3 × 2 + 2 × 1 = 8 of 13
        "commission:w-2": 231,
        "commission:w-9": 154,
    }
    assert lines[0].formula == "1001 fen × 8 ÷ 13 = 616 fen"
    heads = pool_lines(plan(pools=[POOL | {"basis": "heads"}]), WORK, 10_007)
    assert {line.inputs["weight"] for line in heads if line.payee.name != "commission:w-2"} == {
        2,
        3,
    }
    score = pool_lines(plan(pools=[POOL | {"basis": "score"}]), WORK, 10_007)
    assert sum(line.amount_fen for line in score) == 1_001


def test_an_empty_pool_and_a_pool_without_claims_move_nothing() -> None:
    assert pool_lines(plan(pools=[POOL]), WORK, 0) == []
    assert pool_lines(plan(pools=[POOL]), WORK, -5) == []
    assert pool_lines(plan(pools=[POOL]), {}, 10_000) == []


def test_rates_above_one_are_rounded_like_all_others() -> None:
    assert scaled_up(5, 15_000) == 8  # 7.5 to even
