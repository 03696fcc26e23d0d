"""Explains what can be wrong with a box: what it is, why, and the way out that loses nothing."""

from dataclasses import dataclass

from agreed.words import say
from cloud.ingest.incidents import IncidentKind


@dataclass(frozen=True, slots=True)
class Story:
    """What a person must know about an incident.

    Attributes:
        word: what it is, in a few words.
        cause: its likely cause.
        remedy: what to do, step by step.
        meanwhile: what is taken, and what is kept, until then.
    """

    word: str
    cause: str
    remedy: str
    meanwhile: str = ""


def incident_story(kind: str, name: str = "SITE/BOX") -> Story:
    """Explain an incident at a box; `name` is SITE/BOX, as the commands take it."""
    tellers = {
        IncidentKind.FORKED: _forked,
        IncidentKind.CLONED: _cloned,
        IncidentKind.SET_BACK: _set_back,
        IncidentKind.OTHER_KEY: _other_key,
        IncidentKind.UNSIGNED: _unsigned,
        IncidentKind.FOREIGN: _foreign,
        IncidentKind.MALFORMED: _malformed,
        IncidentKind.CLOCKS: _clocks,
    }
    if kind in set(IncidentKind):
        return tellers[IncidentKind(kind)](name)
    return Story(
        kind,
        say("Not known."),
        say("Keep the logs of headquarters and of the box, and ask for help."),
    )


def incident_word(kind: str) -> str:
    """Name an incident."""
    return incident_story(kind).word


def detail_word(key: str) -> str:
    """Name one detail of an incident."""
    known = {
        "epoch": say("Journal"),
        "held_through": say("Held through record"),
        "held_head": say("Hash held here"),
        "box_through": say("The box's last record"),
        "common_through": say("Same on both sides at least up to"),
        "block_first": say("First record that came"),
        "block_last": say("Last record that came"),
        "block_hash": say("Hash that came"),
        "block_previous": say("Hash it follows"),
        "known": say("Accepted fingerprint"),
        "offered": say("Fingerprint it names"),
        "error": say("What is wrong"),
        "boot": say("Start of the machine"),
        "agreeing": say("Readings that agree"),
        "contradicting": say("Readings that contradict them"),
    }
    return known.get(key, key)


def _forked(name: str) -> Story:
    return Story(
        say("two histories for the same records"),
        say("Its card was copied, or its journal was put back from an older backup."),
        say(
            "Here: duifu cloud boxes resolve {name}. The history that is held goes on; a box with "
            "the other one then says at which record they part (duifu edge status). Stop that "
            "one; if it is a second box, give it a name of its own and move its box.key away. "
            "Then run “duifu edge journal renew” there: what only it recorded is carried over.",
            name=name,
        ),
        _refused(),
    )


def _cloned(name: str) -> Story:
    return Story(
        say("two boxes go on with one journal"),
        say("A card was copied and both cards are at work, with the same key."),
        say(
            "Stop the copy. Give it a name of its own in its box.toml, move its box.key away, run "
            "“duifu edge journal renew” there, and accept it as a new box. Then, here: duifu cloud "
            "boxes resolve {name}. Nothing that either recorded is lost.",
            name=name,
        ),
    )


def _set_back(name: str) -> Story:
    return Story(
        say("the box has lost what it once sent"),
        say("An old card or an old backup was put back, or the card lies about what it wrote."),
        say(
            "Wait until “duifu edge status” at the box says after which record it parts, stop it, "
            "run “duifu edge journal renew”, start it. What it recorded since goes on in a new "
            "journal; what is held here stays. Then, here: duifu cloud boxes resolve {name}. "
            "Replace a card that nobody put back.",
            name=name,
        ),
        _silent(),
    )


def _other_key(name: str) -> Story:
    return Story(
        say("signs with a key that nobody accepted"),
        say("The box was replaced or its key file was lost; or somebody else speaks for it."),
        say(
            "Compare: “duifu edge key” at the box must show the fingerprint it names here. If it "
            "does: duifu cloud boxes accept-key {name} FINGERPRINT. If not, somebody stands in "
            "between: accept the box anew, so that it gets another password.",
            name=name,
        ),
        _refused(),
    )


def _unsigned(name: str) -> Story:
    return Story(
        say("records without its valid signature"),
        say("Software before signatures, or somebody who does not have its key."),
        say(
            "Upgrade the box. If it is up to date, somebody else speaks on its topics: duifu cloud "
            "boxes accept {name} gives it another password. Nothing of it was stored. Then, here: "
            "duifu cloud boxes resolve {name}",
            name=name,
        ),
        _goes_on(),
    )


def _foreign(name: str) -> Story:
    return Story(
        say("records of another box"),
        say("The data folder of another box, site or company was copied here."),
        say(
            "Correct the names in its box.toml, or give it an empty data folder. "
            "Nothing of it was stored. Then, here: duifu cloud boxes resolve {name}",
            name=name,
        ),
        _goes_on(),
    )


def _malformed(name: str) -> Story:
    return Story(
        say("a block that cannot be read"),
        say("Its software is newer than headquarters', or its card is failing."),
        say(
            "Upgrade headquarters; if it stays, take a support bundle and replace the card. Then, "
            "here: duifu cloud boxes resolve {name}",
            name=name,
        ),
        _goes_on(),
    )


def _clocks(name: str) -> Story:
    return Story(
        say("its sources of time contradict each other"),
        say("A time server, or the clock of this headquarters, is or was wrong."),
        say(
            "Compare the time servers of the box and of this machine (timedatectl, chronyc "
            "sources) and correct the wrong one. Times follow the readings that agree if they are "
            "the majority; until then promises there are undecidable and pay the worker. Then, "
            "here: duifu cloud boxes resolve {name}.",
            name=name,
        ),
        say("Meanwhile everything that the box records goes on being taken."),
    )


def _refused() -> str:
    return say("Until then headquarters takes no record of this box; the box keeps them all.")


def _silent() -> str:
    return say("Until then the box sends no record, and keeps them all.")


def _goes_on() -> str:
    return say(
        "What the box itself signs goes on being taken; what is described here was not stored."
    )
