"""The broker and the lines to it: they lose, repeat, reorder, hold back, and forget everything."""

from collections.abc import Callable
from typing import Final, Protocol

from simulators.world.faults import Faults
from simulators.world.scheduler import Scheduler

LINE_S: Final = 0.03


class Client(Protocol):
    """Whoever is connected to the broker."""

    def linked(self) -> None:
        """The broker was reached."""
        ...

    def unlinked(self) -> None:
        """The broker was lost."""
        ...


class Broker:
    """Carries messages between clients that are connected at that moment; sessions are clean.

    Attributes:
        is_kind: from now on nothing goes wrong.
    """

    def __init__(self, scheduler: Scheduler, faults: Faults) -> None:
        self.is_kind = False
        self._scheduler = scheduler
        self._faults = faults
        self._connected: dict[str, Client] = {}
        self._era = 0

    def connect(self, name: str, client: Client) -> None:
        """Take a client in; an older connection of that name ends."""
        self.disconnect(name)
        self._scheduler.note("linked", name)
        self._connected[name] = client
        client.linked()

    def disconnect(self, name: str) -> None:
        """Lose a client."""
        client = self._connected.pop(name, None)
        if client is not None:
            self._scheduler.note("unlinked", name)
            client.unlinked()

    def is_connected(self, name: str) -> bool:
        """Say whether a client is connected."""
        return name in self._connected

    def wipe(self) -> None:
        """Forget every message and lose every client."""
        self._era += 1
        for name in list(self._connected):
            self.disconnect(name)

    def publish(
        self, sender: str, receiver: str, data: bytes, take: Callable[[bytes], None]
    ) -> bool:
        """Carry bytes to a receiver; True when the broker says that it took them."""
        if sender not in self._connected:
            return False
        dice, faults = self._scheduler.dice, self._faults
        if self.is_kind:
            self._carry(receiver, data, take, LINE_S)
            return True
        copies = 2 if dice.random() < faults.repeat else 1
        for _ in range(copies):
            if dice.random() >= faults.loss:
                self._carry(receiver, self._spoiled(data), take, self._delay_s())
        return True

    def _delay_s(self) -> float:
        dice = self._scheduler.dice
        if dice.random() < self._faults.hold:
            return dice.random() * self._faults.hold_s_max
        return dice.expovariate(1 / LINE_S)

    def _spoiled(self, data: bytes) -> bytes:
        dice = self._scheduler.dice
        if dice.random() >= self._faults.spoil:
            return data
        at = dice.randrange(len(data))
        return data[:at] + bytes([data[at] ^ 1 << dice.randrange(8)]) + data[at + 1 :]

    def _carry(
        self, receiver: str, data: bytes, take: Callable[[bytes], None], delay_s: float
    ) -> None:
        era = self._era

        def arrive() -> None:
            if era == self._era and receiver in self._connected:
                self._scheduler.note("to", receiver, len(data))
                take(data)

        self._scheduler.after_s(delay_s, arrive)
