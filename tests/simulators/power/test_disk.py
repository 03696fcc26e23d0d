import os
from pathlib import Path

import pytest

from simulators.power.disk import LoopDisk, can_mount

pytestmark = pytest.mark.skipif(not can_mount(), reason="mounts a disk: needs root")


def test_what_was_synced_survives_a_cut_and_the_rest_does_not(tmp_path: Path) -> None:
    with LoopDisk(tmp_path) as disk:
        for name, is_synced in (("synced", True), ("not", False)):
            with (disk.folder / name).open("w") as file:
                file.write(name)
                if is_synced:
                    file.flush()
                    os.fsync(file.fileno())
        disk.cut()
        with pytest.raises(OSError, match="Input/output error"):
            (disk.folder / "later").write_text("x")
        disk.unmount()
        disk.mount()
        assert (disk.folder / "synced").read_text() == "synced"
        left = disk.folder / "not"
        assert not left.exists() or left.read_text() == ""
