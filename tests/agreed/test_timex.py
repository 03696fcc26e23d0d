"""What the kernel says of its clock is read as the kernel means it."""

from agreed.timex import Discipline, Timex, discipline_of


def test_a_steered_clock_says_its_error() -> None:
    assert discipline_of(Timex(maxerror=2_500), 0) == Discipline(is_synced=True, error_us_max=2_500)


def test_a_free_clock_and_a_refused_question_are_not_steered() -> None:
    assert not discipline_of(Timex(maxerror=2_500, status=0x40), 5).is_synced
    assert discipline_of(Timex(), -1) == Discipline(is_synced=False, error_us_max=0)
