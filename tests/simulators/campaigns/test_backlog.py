import json
from pathlib import Path

import pytest

from simulators.campaigns.backlog import main

pytestmark = [pytest.mark.broker, pytest.mark.scenario]


def test_the_command_prints_one_line_for_each_batch_size(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--records", "2000", "--batches", "500", "--folder", str(tmp_path)]) == 0
    assert json.loads(capsys.readouterr().out)["is_clean"] is True
