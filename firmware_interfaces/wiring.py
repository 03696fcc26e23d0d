"""How one line is wired: the part of a `[[line]]` table that every family shares."""

import re
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from agreed.limits import NAME_PATTERN
from agreed.words import say

# loop:// is pyserial's wire from a port to itself, for trying a box without hardware.
_PORT = re.compile(
    r"/[^\0]+|(socket|rfc2217|udp)://[^/\s]+:\d{1,5}(\?\S*)?|ble://[a-z0-9]{1,16}|loop://"
)


def _known_port(port: str) -> str:
    if _PORT.fullmatch(port):
        return port
    raise ValueError(
        say(
            "a port is a path such as /dev/ttyUSB0 or /dev/serial/by-id/..., "
            "or an address such as socket://192.168.1.20:4001"
        )
    )


PortUrl = Annotated[str, Field(min_length=2, max_length=255), AfterValidator(_known_port)]
DeviceName = Annotated[str, Field(pattern=NAME_PATTERN)]


class Wiring(BaseModel):
    """The port of one line and how its adapter is set.

    Attributes:
        port: path or address, for example /dev/ttyUSB0 or socket://192.168.1.20:4001.
        baud: bits per second; ignored by socket://.
        parity: N none, E even, O odd.
        dtr: level of DTR after opening; None leaves it as the system sets it.
        rts: level of RTS after opening; None leaves it as the system sets it.
        rs485: let the kernel switch the direction of the line; off for USB adapters.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    port: PortUrl
    baud: int = Field(default=9_600, ge=300, le=921_600)
    parity: Literal["N", "E", "O"] = "N"
    dtr: bool | None = None
    rts: bool | None = None
    rs485: bool = False


def different(field: str, values: Sequence[object]) -> None:
    """Refuse a table in which two devices share what must be their own."""
    twice = sorted({str(value) for value in values if values.count(value) > 1})
    if twice:
        names = ", ".join(twice)
        raise ValueError(
            say("{field} is given twice on one line: {names}", field=field, names=names)
        )
