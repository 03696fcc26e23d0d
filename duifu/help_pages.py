"""What the command-line library itself says on a help page, in the reader's language."""

import os
from gettext import bindtextdomain, textdomain
from importlib.resources import files
from typing import Any, Final

from typer import Context
from typer.core import TyperGroup

from agreed.words import FOLDERS, marked, say
from duifu.usage import SpokenContext

_COMPLETION: Final = ("install_completion", "show_completion")

# What the library writes beside an option; it looks these up in the process's gettext domain.
_BESIDE: Final = (
    marked("[default: {}]"),
    marked("[env var: {}]"),
    marked("[required]"),
    marked("(dynamic)"),
    marked("(deprecated) "),
)
_DOMAIN: Final = "duifu"


def speak(spoken: str) -> None:
    """Let the library speak a language from now on; call it before the first page is made."""
    os.environ["LANGUAGE"] = FOLDERS.get(spoken, spoken)
    bindtextdomain(_DOMAIN, str(files("agreed") / "locale"))
    textdomain(_DOMAIN)


def translate_help(command: Any) -> Any:
    """Give a command and all below it their panels, help and completion texts; gives it back."""
    below = getattr(command, "commands", {})
    command.context_class = SpokenContext
    command.options_metavar = say("[OPTIONS]")
    if isinstance(command, TyperGroup):
        command.subcommand_metavar = say("COMMAND [ARGS]...")
    shown = command.get_help_option(Context(command))
    if shown is not None:
        shown.help = say("Show this page and exit.")
    for parameter in [*command.params, *([shown] if shown else [])]:
        _translate(parameter)
    for each in below.values():
        each.rich_help_panel = each.rich_help_panel or say("Commands")
        translate_help(each)
    return command


def _translate(parameter: Any) -> None:
    is_option = parameter.param_type_name == "option"
    parameter.rich_help_panel = say("Options") if is_option else say("Arguments")
    if parameter.name in _COMPLETION:
        parameter.help = _completion_texts()[parameter.name]


def _completion_texts() -> dict[str, str]:
    return {
        "install_completion": say("Install completion for this shell."),
        "show_completion": say("Show completion for this shell, to copy or change it."),
    }
