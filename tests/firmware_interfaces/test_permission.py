"""What keeps us from a node follows the node, not a guess."""

import errno
import grp
import os
from pathlib import Path

import pytest

from firmware_interfaces.errors import (
    PortForbiddenError,
    PortRefusedError,
    PortUngroupedError,
)
from firmware_interfaces.permission import denied, usual_group

NOBODY = -1  # tests may run as root, whose files belong to the group of root


@pytest.mark.parametrize(
    ("port", "group"),
    [
        ("/dev/ttyUSB0", "dialout"),
        ("/dev/serial/by-id/usb-x", "dialout"),
        ("/dev/input/by-id/usb-x-event-kbd", "input"),
        ("/dev/gpiochip0", "gpio"),
        ("/dev/hidraw3", "plugdev"),
        ("ble://hci0", "bluetooth"),
    ],
)
def test_each_kind_of_node_has_its_usual_group(port: str, group: str) -> None:
    assert usual_group(port) == group
    error = denied(f"{port}-is-not-here", errno.EACCES, set())
    assert isinstance(error, PortRefusedError)
    assert (error.group, group in str(error)) == (group, True)


def node(folder: Path, mode: int) -> tuple[str, os.stat_result]:
    path = folder / "node"
    path.touch()
    path.chmod(mode)
    return str(path), path.stat()


def test_the_group_that_a_node_really_has_is_named(tmp_path: Path) -> None:
    port, found = node(tmp_path, 0o660)
    error = denied(port, errno.EACCES, set(), NOBODY)
    assert isinstance(error, PortRefusedError)
    assert error.group == grp.getgrgid(found.st_gid).gr_name


def test_a_node_without_a_group_needs_a_rule(tmp_path: Path) -> None:
    port, _ = node(tmp_path, 0o600)
    error = denied(port, errno.EACCES, set())
    assert isinstance(error, PortUngroupedError)
    assert "udev" in str(error)


def test_nobody_is_told_to_join_the_group_of_root(tmp_path: Path) -> None:
    port, found = node(tmp_path, 0o660)
    assert isinstance(denied(port, errno.EACCES, set(), found.st_gid), PortUngroupedError)


def test_no_group_opens_a_network() -> None:
    error = denied("udp://192.168.1.50:60000?local=100", errno.EACCES, set())
    assert isinstance(error, PortForbiddenError)


def test_what_no_mode_forbids_is_forbidden_by_the_unit(tmp_path: Path) -> None:
    port, found = node(tmp_path, 0o660)
    assert isinstance(denied(port, errno.EPERM, set(), NOBODY), PortForbiddenError)
    assert isinstance(denied(port, errno.EACCES, {found.st_gid}, NOBODY), PortForbiddenError)
