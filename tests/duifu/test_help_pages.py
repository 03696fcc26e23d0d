import gettext
from io import BytesIO
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer
from babel.messages.extract import extract

from agreed.words import language, say
from duifu.help_pages import speak, translate_help

# What is said when a command line is wrong, which `duifu.usage` says itself.
NOT_SHOWN = {"Error", "Aborted.", "Try [blue]'{command_path} {help_option}'[/] for help."}


def made() -> Any:
    app = typer.Typer()
    below = typer.Typer()
    app.add_typer(below, name="below")

    @below.command()
    def one(name: Annotated[str, typer.Argument()], loud: bool = False) -> None:
        raise AssertionError((name, loud))

    @below.command()
    def two() -> None:
        pass

    return typer.main.get_command(app)


@pytest.mark.parametrize(
    ("spoken", "panels"),
    [
        ("zh", ("命令", "选项", "参数", "显示本页并退出。")),
        ("en", ("Commands", "Options", "Arguments", "Show this page and exit.")),
    ],
)
def test_every_page_is_translated(
    spoken: str, panels: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    language.set(spoken)
    for path in (["below"], ["below", "one"]):
        with pytest.raises(SystemExit) as ended:
            translate_help(made())([*path, "--help"])
        assert ended.value.code == 0
    pages = capsys.readouterr().out
    assert all(panel in pages for panel in panels)
    assert ("Options" in pages) == (spoken == "en")


def test_the_library_looks_up_what_stands_beside_an_option(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = gettext.textdomain()
    monkeypatch.setenv("LANGUAGE", "en")
    for spoken, required in (("en", "[required]"), ("zh", "[必填]")):
        speak(spoken)
        assert gettext.gettext("[required]") == required
    gettext.textdomain(before)


def test_everything_the_library_looks_up_on_a_help_page_has_a_translation() -> None:
    source = Path(typer.__file__).with_name("rich_utils.py").read_bytes()
    looked_up = {
        str(found[1]) for found in extract("python", BytesIO(source), keywords={"_": None})
    }
    language.set("zh")
    assert looked_up >= {"[required]", "[default: {}]"}
    for message in looked_up - NOT_SHOWN:
        assert say(message) != message, message
