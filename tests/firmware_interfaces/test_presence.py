import itertools

from hypothesis import given
from hypothesis import strategies as st

from firmware_interfaces.observations import Seen
from firmware_interfaces.presence import Presence, refused
from tests.firmware_interfaces.worlds import at_ms


@given(st.lists(st.booleans()))
def test_lost_and_back_alternate_and_end_with_the_truth(answers: list[bool]) -> None:
    presence, said = Presence("gate"), []
    for does_answer in answers:
        said += presence.back(at_ms(1)) if does_answer else presence.lost(at_ms(1), "silent")
    seen = [o.seen for o in said]
    assert all(one is not other for one, other in itertools.pairwise(seen))
    if answers:
        assert seen[-1] is (Seen.BACK if answers[-1] else Seen.LOST)


def test_a_loss_says_why() -> None:
    (said,) = Presence("gate").lost(at_ms(5), "silent")
    assert (said.device, said.value, said.at) == ("gate", "silent", at_ms(5))


def test_a_refusal_says_what_and_why() -> None:
    said = refused("bank", at_ms(5), "no such compartment", part=99)
    assert (said.seen, said.value, said.part) == (
        Seen.REFUSED_BY_DEVICE,
        "no such compartment",
        99,
    )
