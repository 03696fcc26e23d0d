"""What a person reads, in Chinese first and English: the translation catalogue.

Message ids are English. Each room keeps its own catalogue, `locale/LANGUAGE/LC_MESSAGES/ROOM.po`;
`make words` extracts and compiles them.
"""

from contextvars import ContextVar
from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from typing import Final

LANGUAGES: Final = ("zh", "en")
FOLDERS: Final = {"zh": "zh_Hans_CN"}
"""Of the languages that have a catalogue."""

language: ContextVar[str] = ContextVar("language", default=LANGUAGES[0])
"""The language of whoever is being spoken to: a process's setting, or a request's."""


class RemedyError(Exception):
    """Something a person can put right: one sentence that names the thing and the remedy."""


def say(message: str, /, **values: object) -> str:
    """Translate a message into the language in force, then put the values in.

    Args:
        message: English text of the catalogue; `{name}` stands for a value.
        values: what stands for the names.
    """
    text = catalogue(language.get()).gettext(message)
    return text.format(**values) if values else text


def marked(message: str) -> str:
    """Mark a message for the catalogue where it is only kept; it is translated when it is said."""
    return message


def say_count(one: str, many: str, count: int, /, **values: object) -> str:
    """Translate a message that depends on a number; `{count}` stands for it."""
    text = catalogue(language.get()).ngettext(one, many, count)
    return text.format(count=count, **values)


@cache
def catalogue(name: str) -> NullTranslations:
    """Load every room's compiled catalogue of a language; English needs none."""
    merged: NullTranslations = NullTranslations()
    if name in FOLDERS:
        folder = files("agreed") / "locale" / FOLDERS[name] / "LC_MESSAGES"
        for entry in folder.iterdir() if folder.is_dir() else ():
            if entry.name.endswith(".mo"):
                with entry.open("rb") as file:
                    room = GNUTranslations(file)
                room.add_fallback(merged)
                merged = room
    return merged
