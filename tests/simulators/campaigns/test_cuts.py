import json

import pytest

from simulators.campaigns.cuts import main
from simulators.power.disk import can_mount


@pytest.mark.skipif(not can_mount(), reason="mounts a disk: needs root")
def test_the_command_prints_what_it_found(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--cuts", "2", "--seed", "3"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert (figures["cuts"], figures["failed"], figures["control"]) == (2, 0, False)
