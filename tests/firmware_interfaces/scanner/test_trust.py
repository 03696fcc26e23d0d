from agreed.codes import with_check
from firmware_interfaces.scanner.trust import AGAIN_S_MAX, Trust
from tests.firmware_interfaces.worlds import at_ms

CODE = with_check("PARCEL23")
OTHER = with_check("PARCEL24")


def test_any_code_counts_where_any_is_trusted() -> None:
    assert Trust("any").takes("whatever", at_ms(0))


def test_a_code_counts_by_its_check() -> None:
    trust = Trust("checked")
    assert trust.takes(CODE, at_ms(0))
    assert trust.takes(CODE, at_ms(1))
    assert trust.takes("whatever", at_ms(2)) is False
    assert trust.refused_count == 1


def test_a_code_counts_once_it_is_read_twice_in_a_row() -> None:
    trust = Trust("twice")
    assert [trust.takes(CODE, at_ms(ms)) for ms in (0, 100, 200, 300)] == [None, True, None, True]
    assert [trust.takes(one, at_ms(1_000)) for one in (CODE, OTHER, CODE)] == [None] * 3
    assert trust.refused_count == 0


def test_a_second_reading_that_comes_too_late_is_a_first_one() -> None:
    trust = Trust("twice")
    assert trust.takes(CODE, at_ms(0)) is None
    assert trust.takes(CODE, at_ms(1_000 * AGAIN_S_MAX + 1)) is None
