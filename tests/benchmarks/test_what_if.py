from benchmarks.what_if import MONTHS, PEOPLE, stretch
from cloud.settlement.whatif import try_plan
from tests.cloud.settlement.small_month import plan


def test_the_stretch_is_a_year_in_which_everybody_works() -> None:
    past = stretch(2_000)
    assert past.lines == 2_000
    assert len(try_plan(plan(), past).paid_fen) == PEOPLE
    assert len(past.months) == MONTHS
