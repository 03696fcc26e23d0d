"""What can go wrong between the box and its devices, and whether waiting helps.

DeviceError                 retry says whether waiting helps
+-- PortError               the wire itself; `port` names it
|   +-- PortMissingError    retry      nothing is plugged in there, or nobody answers the address
|   +-- PortBusyError       retry      another program holds it
|   +-- PortClosedError     retry      it was unplugged, or the far end hung up, while in use
|   +-- PortStalledError    retry      it takes no more bytes
|   +-- PortFloodedError    retry      it says more than any device does
|   +-- PortRefusedError    no retry   its group may open it: a person must put us into that group
|   +-- PortUngroupedError  no retry   no group may open it: a person must give it one
|   +-- PortForbiddenError  no retry   the unit or container we run in keeps it from us
|   +-- PortOptionError     no retry   the adapter cannot do what the settings ask
+-- KeyFileError            no retry   a reader's key cannot be read: a person must put it there
"""

from typing import ClassVar


class DeviceError(Exception):
    """Anything between the box and a device that is not our own bug."""

    retry: ClassVar[bool] = False


class PortError(DeviceError):
    """A port cannot be used now; the message says which and what to do.

    Attributes:
        port: as in box.toml.
        group: of users who may open it, where that is what is missing; else "".
    """

    def __init__(self, port: str, message: str, group: str = "") -> None:
        super().__init__(f"{port}: {message}")
        self.port = port
        self.group = group


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
    """The port may be opened by its group, and we are not in it."""

    def __init__(self, port: str, group: str) -> None:
        super().__init__(port, f"no permission; add the service's user to group {group}", group)


class PortUngroupedError(PortError):
    """The port may be opened by its owner alone, and that is not us."""

    def __init__(self, port: str, group: str) -> None:
        text = f"only its owner may open it; give it to group {group} by a udev rule"
        super().__init__(port, text, group)


class PortForbiddenError(PortError):
    """Its mode would let us open the port; the unit or container we run in does not."""

    def __init__(self, port: str) -> None:
        super().__init__(port, "the unit or container does not allow it; allow the device there")


class PortOptionError(PortError):
    """The adapter cannot do what the settings ask of it."""


class KeyFileError(DeviceError):
    """A secure-channel key file is missing, unreadable or does not hold a key."""
