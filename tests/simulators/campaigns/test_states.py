import json

import pytest

from simulators.campaigns.states import main


@pytest.mark.parametrize(("more", "status"), [([], 0), (["--control"], 1)])
def test_the_command_tells_a_sound_journal_from_the_control(
    more: list[str], status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--states", "600", "--seed", "2", *more]) == status
    figures = json.loads(capsys.readouterr().out)
    assert figures["states"] == 600
    assert (figures["failed"] > 0) is bool(more)
