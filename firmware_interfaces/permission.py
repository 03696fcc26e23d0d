"""Why the system does not let us open a node, and who can change that: its group, or its unit."""

import errno
import grp
import os
import stat
from collections.abc import Set as AbstractSet
from typing import Final

from firmware_interfaces.errors import (
    PortError,
    PortForbiddenError,
    PortRefusedError,
    PortUngroupedError,
)

DENIED: Final = frozenset({errno.EACCES, errno.EPERM})
SERIAL_GROUP: Final = "dialout"
# Where a node tells nothing: the groups that Debian and Raspberry Pi OS give such nodes.
USUAL_GROUPS: Final = {
    "/dev/input/": "input",
    "/dev/gpiochip": "gpio",
    "/dev/hidraw": "plugdev",
    "ble://": "bluetooth",
}
ROOT_GROUP: Final = 0


def denied(
    port: str, number: int, groups: AbstractSet[int], root_group: int = ROOT_GROUP
) -> PortError:
    """Say why a port may not be opened.

    Args:
        port: as in box.toml.
        number: EACCES or EPERM, as the system said it.
        groups: that this process is in.
        root_group: into which no service belongs.

    Returns:
        PortForbiddenError: what forbids it is no file mode (EPERM of a unit or container, or a
        mode that would let us). PortUngroupedError: no group may open the node. PortRefusedError:
        its group may, and we are not in it.
    """
    usual = usual_group(port)
    is_network = "://" in port and usual == SERIAL_GROUP
    if number == errno.EPERM or is_network:
        return PortForbiddenError(port)
    try:
        node = os.stat(port)  # noqa: PTH116  # a port need not be a path
    except (OSError, ValueError):
        return PortRefusedError(port, usual)
    if node.st_gid == root_group or not _opens_to_group(node.st_mode):
        return PortUngroupedError(port, usual)
    if node.st_gid in groups:
        return PortForbiddenError(port)
    return PortRefusedError(port, _group_name(node.st_gid))


def usual_group(port: str) -> str:
    """Name the group that such nodes usually have."""
    found = (group for begin, group in USUAL_GROUPS.items() if port.startswith(begin))
    return next(found, SERIAL_GROUP)


def own_groups() -> set[int]:
    """Give the groups of this process."""
    return {os.getegid(), *os.getgroups()}


def _opens_to_group(mode: int) -> bool:
    return mode & (stat.S_IRGRP | stat.S_IWGRP) == stat.S_IRGRP | stat.S_IWGRP


def _group_name(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
