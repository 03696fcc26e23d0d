"""A disk whose power can be cut: ext4 in a file, mounted over a loop device; needs root."""

import fcntl
import os
import shutil
import struct
import subprocess
from pathlib import Path
from typing import Final, Self

_SHUTDOWN: Final = 0x8004587D
"""EXT4_IOC_SHUTDOWN of the kernel's fs/ext4/ext4.h."""

_NO_LOG_FLUSH: Final = struct.pack("I", 2)
"""Nothing more is written, not even the file system's own log: as when the power goes."""

SIZE_BYTES: Final = 48 * 1024 * 1024


class LoopDisk:
    """One disk; what was not synced before a cut is gone after it.

    Attributes:
        folder: where it is mounted.
    """

    def __init__(self, folder: Path) -> None:
        """Prepare a disk in a folder that exists."""
        self.folder = folder / "mounted"
        self._image = folder / "disk.img"
        self._is_mounted = False

    def __enter__(self) -> Self:
        """Make it anew."""
        self.make()
        return self

    def __exit__(self, *_: object) -> None:
        """Unmount it."""
        self.unmount()

    def make(self) -> None:
        """Make an empty file system, and mount it."""
        self.unmount()
        self.folder.mkdir(exist_ok=True)
        self._image.unlink(missing_ok=True)
        with self._image.open("wb") as file:
            file.truncate(SIZE_BYTES)
        _run("mkfs.ext4", "-q", "-F", str(self._image))
        self.mount()

    def mount(self) -> None:
        """Let the file system recover, as at the next start of the machine."""
        _run("mount", "-o", "loop", str(self._image), str(self.folder))
        self._is_mounted = True

    def unmount(self) -> None:
        """Take it away; nobody may have a file open on it."""
        if self._is_mounted:
            _run("umount", str(self.folder))
            self._is_mounted = False

    def cut(self) -> None:
        """Cut the power: from now on every write and every sync fails."""
        descriptor = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(descriptor, _SHUTDOWN, _NO_LOG_FLUSH)
        finally:
            os.close(descriptor)


def can_mount() -> bool:
    """Say whether this machine lets us."""
    return os.geteuid() == 0 and all(map(shutil.which, ("mkfs.ext4", "mount", "umount")))


def _run(*arguments: str) -> None:
    subprocess.run(arguments, check=True, capture_output=True)
