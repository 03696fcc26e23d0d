from typing import Annotated, Any

import pytest
import typer

from agreed.words import language
from duifu.help_pages import translate_help


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
