"""What a person mistyped: one sentence in the reader's language, then how the command is used."""

import re
from typing import Any, Final

import typer
from pydantic import ValidationError

# typer keeps the errors of its parser, and what writes a usage line, to itself.
from typer._click import exceptions
from typer._click.formatting import HelpFormatter

from agreed.words import marked, say
from agreed.wrong_fields import explain

_CHOICES: Final = re.compile(r" is not one of (?P<expected>.+)\.$")

# What the parser says without a class of its own.
_PATTERNS: Final = (
    (
        re.compile(r"No such command '(?P<name>.*?)'.*Did you mean (?P<meant>.+)\?"),
        marked("There is no command {name}; did you mean {meant}?"),
    ),
    (
        re.compile(r"No such command '(?P<name>.*?)'"),
        marked("There is no command {name}; correct its spelling."),
    ),
    (
        re.compile(r"Got unexpected extra argument\(s\) \((?P<extra>.*)\)"),
        marked("{extra} is too much here; leave it out."),
    ),
    (re.compile(r"Missing command"), marked("Name a command.")),
)


class _Formatter(HelpFormatter):
    """Writes a usage line in the reader's language."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        super().write_usage(prog, args, prefix or say("Usage: "))


class SpokenContext(typer.Context):
    """A call of a command whose help page speaks the reader's language."""

    formatter_class: type[HelpFormatter] = _Formatter


def mistyped(error: typer.TyperException) -> list[str]:
    """Say what is wrong with a command line, and how the command is used; [] after a help page."""
    if isinstance(error, exceptions.NoArgsIsHelpError):
        return []
    context = getattr(error, "ctx", None)
    if context is None:
        return [f"✗ {_sentence(error)}"]
    return [
        f"✗ {_sentence(error)}",
        context.get_usage(),
        say("“{command} --help” tells more.", command=context.command_path),
    ]


def _sentence(error: typer.TyperException) -> str:
    match error:
        case exceptions.MissingParameter():
            return _explained({"type": "missing", "msg": ""}, error)
        case exceptions.BadParameter():
            return _explained(_found(error), error)
        case exceptions.NoSuchOption():
            return _no_such_option(error.option_name, error.possibilities or ())
        case exceptions.BadOptionUsage():
            return _needs_or_takes(error.option_name, error.message)
        case _:
            return _of_pattern(error.format_message())


def _of_pattern(message: str) -> str:
    for pattern, sentence in _PATTERNS:
        if found := pattern.search(message):
            return say(sentence, **found.groupdict())
    return message


def _explained(found: dict[str, Any], error: exceptions.BadParameter) -> str:
    parameter = error.param
    if parameter is None:
        return error.message
    is_option = parameter.param_type_name == "option"
    name = parameter.opts[0] if is_option else parameter.get_error_hint().strip("'")
    return explain(found, name, name)[1]


def _found(error: exceptions.BadParameter) -> dict[str, Any]:
    """Give what pydantic found wrong with the value, or what else the library says of it."""
    cause = error.__cause__
    if choices := _CHOICES.search(error.message):
        return {"type": "enum", "msg": "", "ctx": choices.groupdict()}
    if isinstance(cause, ValidationError):
        return dict(cause.errors()[0])
    return {"type": "", "msg": error.message}


def _no_such_option(option: str, meant: Any) -> str:
    if not meant:
        return say("There is no option {option}; correct its spelling.", option=option)
    options = ", ".join(sorted(meant))
    return say(
        "There is no option {option}; did you mean {options}?", option=option, options=options
    )


def _needs_or_takes(option: str, message: str) -> str:
    if "does not take" in message:
        return say("{option} takes no value.", option=option)
    return say("{option} needs a value after it.", option=option)
