from firmware_interfaces.locker.kinds import KINDS
from firmware_interfaces.locker.settings import LockerLine
from simulators.devices.locker_boards import TONGUES


def test_every_kind_can_be_set_and_has_a_far_end_of_the_same_size() -> None:
    families = LockerLine.model_fields["family"].annotation
    assert set(families.__args__) == set(KINDS) == set(TONGUES)  # type: ignore[union-attr]
    for name, kind in KINDS.items():
        assert kind.locks_count == TONGUES[name].locks_count
        assert kind.questions_count in {1, kind.locks_count}
