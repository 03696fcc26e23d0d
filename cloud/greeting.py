"""What a greeting tells of a box beside where it stands: its key, and where histories part."""

from sqlalchemy import Connection

from agreed.messages import Hello, Parted
from agreed.wire import NO_HASH
from cloud.database.fleet import BoxName, change_box, open_incident
from cloud.database.inbox import hash_at
from cloud.ingest.decision import Holding
from cloud.ingest.incidents import IncidentKind


def offer_key(connection: Connection, name: BoxName, hello: Hello) -> None:
    """Note the key that a box names, for a person to compare and accept."""
    change_box(connection, name, offered_key=bytes.fromhex(hello.key))


def common_place(connection: Connection, name: BoxName, hello: Hello) -> Parted:
    """Find the newest place of a box's trail that is in the chain held here."""
    epoch = bytes.fromhex(hello.epoch)
    trail = sorted(hello.trail, key=lambda one: -one.through)
    common = (
        (place.through, place.head)
        for place in trail
        if hash_at(connection, name, epoch, place.through) == bytes.fromhex(place.head)
    )
    through, head = next(common, (0, NO_HASH.hex()))
    return Parted(epoch=hello.epoch, asked_through=trail[0].through, through=through, head=head)


def note_set_back(
    connection: Connection,
    name: BoxName,
    hello: Hello,
    held: Holding,
    parted: Parted,
    now_ms: int,
) -> None:
    """Show a person that a box no longer holds what it once sent: an old card was put back."""
    detail = {
        "epoch": hello.epoch,
        "held_through": held.through,
        "held_head": held.head.hex(),
        "box_through": hello.head_sequence,
        "common_through": parted.through,
    }
    open_incident(connection, name, IncidentKind.SET_BACK, detail, now_ms)
