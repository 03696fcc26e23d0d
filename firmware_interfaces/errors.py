"""What can go wrong between the box and its devices, and whether waiting helps.

DeviceError                 retry says whether waiting helps
+-- PortError               the wire itself; `port` names it
|   +-- PortMissingError    retry      nothing is plugged in there, or nobody answers the address
|   +-- PortBusyError       retry      another program holds it
|   +-- PortClosedError     retry      it was unplugged, or the far end hung up, while in use
|   +-- PortStalledError    retry      it takes no more bytes
|   +-- PortFloodedError    retry      it says more than any device does
|   +-- PortRefusedError    no retry   we may not open it: a person must give permission
|   +-- PortOptionError     no retry   the adapter cannot do what the settings ask
+-- KeyFileError            no retry   a reader's key cannot be read: a person must put it there
"""

from typing import ClassVar


class DeviceError(Exception):
    """Anything between the box and a device that is not our own bug."""

    retry: ClassVar[bool] = False


class PortError(DeviceError):
    """A port cannot be used now; the message says which and what to do."""

    def __init__(self, port: str, message: str) -> None:
        super().__init__(f"{port}: {message}")
        self.port = port


class PortMissingError(PortError):
    """Nothing is plugged in at this path, or nobody answers at this address."""

    retry = True


class PortBusyError(PortError):
    """Another program holds the port."""

    retry = True


class PortClosedError(PortError):
    """The port was unplugged, or the far end hung up, while it was in use."""

    retry = True


class PortStalledError(PortError):
    """The port accepted no bytes for longer than it may."""

    retry = True


class PortFloodedError(PortError):
    """The port brings more than any device says; it is left alone until it is quiet.

    Attributes:
        reason: as its devices are said to be LOST.
    """

    retry = True
    reason: ClassVar[str] = "flood"

    def __init__(self, port: str) -> None:
        super().__init__(port, "floods; look for a stuck transmitter, a wrong baud or a loop")


class PortRefusedError(PortError):
    """The operating system does not let us open the port."""


class PortOptionError(PortError):
    """The adapter cannot do what the settings ask of it."""


class KeyFileError(DeviceError):
    """A secure-channel key file is missing, unreadable or does not hold a key."""
