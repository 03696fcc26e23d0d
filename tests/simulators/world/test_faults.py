from random import Random

from simulators.world.faults import draw_faults


def test_seeds_differ_in_kind_and_stay_within_what_a_share_can_be() -> None:
    drawn = [draw_faults(Random(seed)) for seed in range(200)]
    assert len({faults.span_s for faults in drawn}) > 1
    for name in ("loss", "repeat", "hold", "spoil", "power_cut", "mid_write", "mid_commit"):
        shares = [getattr(faults, name) for faults in drawn]
        assert 0.0 in shares
        assert 0 < max(shares) <= 1
    assert draw_faults(Random(7)) == draw_faults(Random(7))
