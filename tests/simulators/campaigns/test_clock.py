import json

import pytest

from simulators.campaigns.clock import main


@pytest.mark.parametrize(("more", "status"), [([], 0), (["--control"], 1)])
def test_the_command_tells_a_sound_clock_from_the_control(
    more: list[str], status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--boots", "2", *more]) == status
    figures = json.loads(capsys.readouterr().out)
    assert figures["corrected"]["beyond"] == 0
    assert (figures["claimed"]["beyond"] > 0) is bool(more)
