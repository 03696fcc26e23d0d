from simulators.world.seen import BROKEN_SHOWN_MAX, Seen


def test_only_the_first_broken_rules_are_kept() -> None:
    seen = Seen()
    for number in range(100):
        seen.blame(str(number))
    assert seen.broken == [str(number) for number in range(BROKEN_SHOWN_MAX)]
