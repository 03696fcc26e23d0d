"""What can be wrong with a box, by the name that the store keeps and the pages explain."""

from enum import StrEnum


class IncidentKind(StrEnum):
    """Why a person must look at a box; the names are never reused."""

    FORKED = "forked"  # another history for records that are held: a copied or restored card
    CLONED = "cloned"  # two boxes go on with one journal
    SET_BACK = "set_back"  # the box no longer holds what it once sent: an old card was put back
    OTHER_KEY = "other_key"  # the box signs with a key that nobody accepted: it was replaced
    UNSIGNED = "unsigned"  # a signature is missing or wrong
    FOREIGN = "foreign"  # blocks of another company, site or box
    MALFORMED = "malformed"  # blocks that cannot be read
    CLOCKS = "clocks"  # what sources say of the time at the box contradicts each other
