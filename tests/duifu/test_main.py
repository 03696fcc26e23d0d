"""The one command: its help, its language, and what it says when a part is missing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from duifu.__main__ import asked_language

ROOT = Path(__file__).parents[2]


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "duifu", *arguments],
        cwd=ROOT,
        env=os.environ | {"NO_COLOR": "1", "TERM": "dumb"} | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_help_speaks_chinese_first() -> None:
    assert "兑付" in run("--help").stdout


def test_what_the_library_says_on_a_page_is_chinese_too() -> None:
    for page in (run("--help"), run("cloud", "boxes", "accept-key", "--help")):
        assert "选项" in page.stdout
        assert "显示本页并退出。" in page.stdout
        assert "Show this" not in page.stdout
    assert "命令" in run("cloud", "--help").stdout
    assert "Options" in run("--lang", "en", "edge", "run", "--help").stdout


def test_help_speaks_english_when_asked() -> None:
    by_option, by_environment = run("--lang", "en", "--help"), run("--help", DUIFU_LANG="en")
    assert "pays from that proof" in by_option.stdout
    assert by_option.stdout == by_environment.stdout


def test_every_room_is_listed_without_being_imported() -> None:
    code = (
        "import sys; sys.argv = ['duifu', '--help']\n"
        "from duifu.__main__ import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print([m for m in sys.modules if m.split('.')[0] in ('edge', 'cloud', 'simulators')])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert all(room in result.stdout for room in ("edge", "cloud", "replay", "demo"))
    assert result.stdout.strip().endswith("[]")


def test_a_room_without_its_packages_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['sqlalchemy'] = None; sys.argv = ['duifu', 'cloud', '--help']\n"
        "from duifu.__main__ import main\n"
        "main()"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | {"DUIFU_LANG": "en"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert "pip install 'duifu[cloud]'" in result.stderr
    assert "Traceback" not in result.stderr


def test_an_unknown_command_is_named() -> None:
    result = run("nosuch")
    assert result.returncode == 2
    assert "nosuch" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "environment", "expected"),
    [
        ([], {}, "zh"),
        (["--lang", "en", "edge"], {}, "en"),
        (["--lang=en"], {"DUIFU_LANG": "zh"}, "en"),
        ([], {"DUIFU_LANG": "en"}, "en"),
        (["--lang", "fr"], {}, "fr"),
        (["--lang"], {}, "zh"),
    ],
)
def test_the_language_is_known_before_any_text_is_made(
    arguments: list[str], environment: dict[str, str], expected: str
) -> None:
    assert asked_language(arguments, environment) == expected


def test_an_unknown_language_is_named_in_those_there_are_and_passed_over() -> None:
    for result in (run("--lang", "fr", "--help"), run("--help", DUIFU_LANG="fr")):
        assert result.returncode == 0
        assert result.stderr.splitlines() == [
            "没有语言 fr；请用 zh 或 en。",
            "There is no language fr; use zh or en.",
        ]
        assert "兑付" in result.stdout


def test_a_mistyped_command_is_answered_in_chinese() -> None:
    result = run("cloud", "ledger", "fund", "pool", "5")
    assert result.returncode == 2
    assert result.stderr.splitlines()[0] == "✗ 缺少 --key，请补上。"
    assert result.stderr.splitlines()[1].endswith("cloud ledger fund [选项] {into} {amount_fen}")
    assert "duifu cloud ledger fund --help”" in result.stderr


def test_what_stands_beside_an_option_is_chinese() -> None:
    page = run("cloud", "ledger", "refund", "--help", COLUMNS="120").stdout
    for shown in (page, run("--help").stdout):
        assert shown.lstrip().startswith("用法：")
    assert "[必填]" in page
    assert "[默认：var/headquarters]" in page
    assert "[required]" not in page


@pytest.mark.parametrize(
    ("shell", "environment"),
    [
        ("bash", {"COMP_WORDS": "duifu edge jour", "COMP_CWORD": "2"}),
        ("zsh", {"_TYPER_COMPLETE_ARGS": "duifu edge jour"}),
        (
            "fish",
            {"_TYPER_COMPLETE_ARGS": "duifu edge jour", "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
        ),
    ],
)
def test_every_shell_completes_what_is_in_a_room(shell: str, environment: dict[str, str]) -> None:
    code = "import sys; sys.argv = ['duifu']; from duifu.__main__ import main; main()"
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | environment | {"_DUIFU_COMPLETE": f"complete_{shell}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "journal" in result.stdout
