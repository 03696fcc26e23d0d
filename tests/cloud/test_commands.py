"""The command line of headquarters, as a clerk types it."""

import json
import tomllib
from pathlib import Path

import pytest

from agreed.words import RemedyError, language
from tests.cloud.shells import headquarters, said
from tests.cloud.world import HOUR, T0, passed


@pytest.fixture
def data(tmp_path: Path) -> Path:
    language.set("en")
    with headquarters(tmp_path) as world:
        world.order("o-1")
        world.tell(passed(T0 + HOUR))
    return tmp_path


def test_a_box_gets_the_head_of_its_settings(data: Path) -> None:
    head = tomllib.loads(said(data, "boxes", "add", "south/gate"))
    assert (head["company"], head["site"], head["box"]) == ("acme", "south", "gate")
    assert head["headquarters"]["url"] == "mqtt://127.0.0.1:1883"
    again = tomllib.loads(said(data, "boxes", "accept", "south/gate"))
    assert again["headquarters"]["password"] != head["headquarters"]["password"]
    assert "gate" in said(data, "boxes", "ls")
    listed = json.loads(said(data, "boxes", "ls", "--json"))
    assert [b["status"] for b in listed] == ["accepted", "accepted"]


def test_the_books(data: Path) -> None:
    assert "yes" in said(data, "ledger", "check")
    assert json.loads(said(data, "ledger", "check", "--json"))["faults"] == []
    assert "commission:w-1" in said(data, "ledger", "accounts")
    assert len(json.loads(said(data, "ledger", "accounts", "--json"))) == 8


def test_a_statement(data: Path) -> None:
    assert "500 fen × 10000 bp" in said(data, "statement", "show", "w-1")
    assert "no promise" in said(data, "statement", "show", "w-2")
    assert "nobody" in said(data, "statement", "show", "w-9")
    assert json.loads(said(data, "statement", "show", "w-1", "--json"))["earned_fen"] == 500


def test_the_token(data: Path) -> None:
    assert said(data, "token").strip() == (data / "token").read_text()


@pytest.mark.parametrize(
    "arguments",
    [("boxes", "accept", "north/none"), ("boxes", "add", "gate"), ("boxes", "add", "No/Way")],
)
def test_what_is_wrong_is_one_sentence(data: Path, arguments: tuple[str, ...]) -> None:
    with pytest.raises(RemedyError):
        said(data, *arguments)


def test_an_empty_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(RemedyError, match=r"duifu cloud run|启动"):
        said(tmp_path, "ledger", "check")
