"""An OSDP reader at a gate, with a keypad, an output, a LED and a buzzer."""

from enum import Enum

from simulators.devices.far_device import FarDevice

WAIT_S_MAX = 3.0


class TapOutcome(Enum):
    """What the reader was told after a tap."""

    ADMITTED = "admitted"
    REFUSED = "refused"
    NOTHING = "nothing"


class GateReader(FarDevice):
    """One reader; taps of one reader wait for each other."""

    def __init__(self, name: str, *, key: bytes, address: int = 0) -> None:
        super().__init__(name)
        raise NotImplementedError

    @property
    def is_online(self) -> bool:
        """Whether the box talks to it over a secure channel now."""
        raise NotImplementedError

    async def tap(self, card: str, wait_s: float = WAIT_S_MAX) -> TapOutcome:
        """Hold a card to it, "bits:hex" left-aligned, and wait for what it is told."""
        raise NotImplementedError

    def type(self, digits: str) -> None:
        """Press keys."""
        raise NotImplementedError
