"""A bank of compartments behind KR-CU16 boards, and the person in front of it."""

from simulators.devices.far_device import FarDevice

WAIT_S_MAX = 10.0


class LockerBank(FarDevice):
    """Compartments 1 to `compartments`; all doors begin closed and locked."""

    def __init__(
        self, name: str, *, compartments: int = 24, address: int = 0, hook_when_locked: int = 1
    ) -> None:
        super().__init__(name)
        raise NotImplementedError

    def is_open(self, part: int) -> bool:
        """Whether the door stands open."""
        raise NotImplementedError

    async def opened(self, part: int, wait_s: float = WAIT_S_MAX) -> bool:
        """Wait until the door stands open; False when it does not in time."""
        raise NotImplementedError

    def close(self, part: int) -> None:
        """Push the door shut, as the person does."""
        raise NotImplementedError

    def force(self, part: int) -> None:
        """Open the door without being told by the box (a crowbar, or the key)."""
        raise NotImplementedError

    def jam(self, part: int, *, is_jammed: bool = True) -> None:
        """Make the lock ignore every order to open, or heal it."""
        raise NotImplementedError
