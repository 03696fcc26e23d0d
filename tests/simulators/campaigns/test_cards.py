import json

import pytest

from simulators.campaigns.cards import main


def test_the_command_prints_what_was_noticed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--cards", "40", "--seed", "3"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert (figures["flipped"], figures["failed"]) == (40, 0)
