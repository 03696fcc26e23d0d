import json

import pytest

from simulators.campaigns.fuzz import MEMORY_BYTES_MAX, Attacked, Campaign, Thrown, main
from simulators.campaigns.targets import Target


def careless(data: bytes) -> bool:
    if data == b"memory":
        return len(bytes(MEMORY_BYTES_MAX + 1)) > 0
    raise KeyError(data)


def one(decode: "object", good: bytes) -> Target:
    return Target("careless", [good], decode, (ValueError,), lambda _data, _dice: good)  # type: ignore[arg-type]


def test_every_decoder_bears_thousands_of_hostile_inputs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--inputs", "25000", "--from", "3"]) == 0
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert figures["inputs"] == 25_000
    assert figures["broken"] == 0
    assert figures["rate_below"] == 3 / 25_000
    assert sum(decoder["taken"] for decoder in figures["decoders"].values()) > 1_000


def test_another_error_and_too_much_memory_are_found() -> None:
    campaign = Campaign([one(careless, b"x")], 1)
    campaign.run(50)
    assert campaign.attacked["careless"].inputs == 50
    assert {what.partition(":")[0] for _name, what, _data in campaign.broken} == {"KeyError"}
    hungry = Campaign([one(careless, b"memory")], 2)
    hungry.run(20)
    assert any("bytes" in what for _name, what, _data in hungry.broken)


def test_what_processes_threw_is_added_up() -> None:
    thrown = Thrown({"block": Attacked(3, 1, 9)}, [], 5)
    thrown.add(Thrown({"block": Attacked(2, 2, 4)}, [("block", "KeyError", "00")], 7))
    assert thrown.attacked == {"block": Attacked(5, 3, 9)}
    assert (len(thrown.broken), thrown.grown_bytes) == (1, 7)
