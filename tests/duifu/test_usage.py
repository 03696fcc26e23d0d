from enum import Enum
from typing import Annotated

import pytest
import typer

from agreed.words import language
from duifu.help_pages import translate_help
from duifu.usage import mistyped


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


def said(*arguments: str) -> list[str]:
    app = typer.Typer(no_args_is_help=True)
    below = typer.Typer()
    app.add_typer(below, name="below")

    @below.command()
    def paint(
        colour: Colour,
        coats: Annotated[int, typer.Option(min=1)] = 1,
        dry: Annotated[bool, typer.Option("--dry")] = False,
    ) -> None:
        raise AssertionError((colour, coats, dry))

    @below.command()
    def other() -> None:
        pass

    with pytest.raises(typer.TyperException) as caught:
        translate_help(typer.main.get_command(app))(list(arguments), standalone_mode=False)
    return mistyped(caught.value)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["belwo"], "There is no command belwo; did you mean 'below'?"),
        (["xyz"], "There is no command xyz; correct its spelling."),
        (["below"], "Name a command."),
        (["below", "paint"], "colour is missing; add it."),
        (["below", "paint", "green"], "colour must be one of 'red', 'blue'."),
        (["below", "paint", "red", "--coats", "0"], "--coats must be at least 1."),
        (["below", "paint", "red", "--coats", "two"], "--coats must be a whole number."),
        (["below", "paint", "red", "--coats"], "--coats needs a value after it."),
        (["below", "paint", "red", "--dry=1"], "--dry takes no value."),
        (
            ["below", "paint", "red", "--coat", "1"],
            "There is no option --coat; did you mean --coats?",
        ),
        (["below", "paint", "red", "--zz"], "There is no option --zz; correct its spelling."),
        (["below", "other", "a", "b"], "a b is too much here; leave it out."),
    ],
)
def test_one_sentence_names_what_is_wrong(arguments: list[str], sentence: str) -> None:
    language.set("en")
    assert said(*arguments)[0] == f"✗ {sentence}"
    language.set("zh")
    translated = said(*arguments)[0]
    assert translated != f"✗ {sentence}"
    assert translated[-1] in "。？"


def test_the_use_of_the_command_follows() -> None:
    language.set("zh")
    sentence, usage, more = said("below", "other", "a")
    assert "a" in sentence
    assert usage.startswith("用法：")
    assert "[选项]" in usage
    assert "other --help" in more


def test_a_help_page_needs_no_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert said() == []
    assert "below" in capsys.readouterr().out
