"""A small log with every trap, and the mapping that reads it."""

from pathlib import Path

from cloud.replay.cases import Cases
from cloud.replay.events import Event
from cloud.replay.files import inspect_log
from cloud.replay.mapping import Mapping, read_mapping
from cloud.replay.passing import pass_over
from cloud.replay.reading import read_events
from cloud.replay.rejects import Rejects
from cloud.replay.rows import Unreadable

RECEIPT = Path(__file__).parents[4] / "shared/data/receipt.csv"
RECEIPT_MAPPING = Path(__file__).parents[3] / "deploy/replay/receipt.toml"

MAPPING = """
company = "yuehua"
site = "north"

[columns]
case = "order"
step = "node"
actor = "who"
time = "at"

[time]
epoch = "ms"

[pack]
key = "repair"
price_fen = 100_00
pool_bp = 5_000

[[promise]]
name = "closed"
promised = "due"
actual = { column = "closed" }
paid = { column = "owner" }
tolerance = "10m"
hard_limit = "1h10m"
piece_rate_fen = 1000

[[promise]]
name = "arrived"
promised = "due"
actual = { event = "first", step = "arrive" }
paid = { event = "first", step = "arrive" }
hard_limit = "2h"
piece_rate_fen = 333

[[promise]]
name = "last-step"
promised = "due"
actual = { event = "last" }
paid = { event = "last" }
hard_limit = "2h"
piece_rate_fen = 77
"""

# All due at noon in Shanghai, 04:00 UTC, in several forms and offsets.
LOG = """\
order,node,who,at,due,closed,owner
o1,accept,w1,2024-03-05 11:00:00+08:00,2024-03-05 12:00:00+08:00,2024-03-05 12:10:00.000+08:00,w1
o1,arrive,w2,2024-03-05T03:30:00Z,2024-03-05T04:00:00Z,,w1
o1,finish,w2,1709611199999,2024-03-05 12:00:00+08:00,2024-03-05 04:10:00.000000Z,w1
o2,arrive,w2,2024-03-05 12:00:00.001+08:00,2024-03-05 12:00:00+08:00,2024-03-05 12:40:00+08:00,w1
o2,arrive,w3,2024-03-05 11:59:00+08:00,2024-03-05 12:00:00+08:00,2024-03-05 12:40:00+08:00,w1
o3,accept,w1,2024-03-05 11:00:00+08:00,2024-03-05 12:00:00+08:00,2024-03-05 12:00:00,w1
o3,accept,w1,2024-03-05 11:00:00+08:00,2024-03-05 12:00:00+08:00,,w1
o4,accept,w1,2024-03-05 11:00:00+08:00,2024-03-05 12:00:00+08:00,2024-03-05 13:10:00+08:00,
o4,"arr
ive",w1,2024-03-05 11:00:00+08:00,2024-03-05 12:00:00+08:00,2024-03-05 13:10:00+08:00,
o5,arrive,w1,2024-03-05 11:00:00+08:00,,,w1
o6,arrive,w1,2024-03-05 11:00:00+08:00
o7,gap,w1,2024-03-05 11:00:00+08:00,2024-03-05 12:00:00+08:00,,w1
o8,arrive,w1,2024-03-05 11:00:00+08:00,2024-03-05 12:00:00+08:00,2024-03-05 11:00:00+08:00,w1
o8,finish,w1,2024-03-05 11:05:00+08:00,2024-03-06 12:00:00+08:00,2024-03-05 11:00:00+08:00,w1
,accept,w1,2024-03-05 11:00:00+08:00,2024-03-05 12:00:00+08:00,,w1
o9,"never closed,w1,2024-03-05 11:00:00+08:00,2024-03-05 12:00:00+08:00,,w1
"""

UNREADABLE = {
    7: "closed: “2024-03-05 12:00:00” has no offset; say time.time_zone in the mapping",
    10: "node: control characters are not allowed",
    13: "has 4 cells, the header 7",
    14: "node: gap is reserved",
    16: "due: line 15 says otherwise",
    17: "order: is empty",
    18: "opens a quote that is not closed",
}


def mapping(extra: str = "") -> Mapping:
    return read_mapping((extra + MAPPING).encode(), "mapping.toml")


def nothing(_: int) -> None:
    pass


def read(path: Path, how: Mapping) -> tuple[list[Event], list[Unreadable], Cases]:
    """Read a whole log."""
    events: list[Event] = []
    rows = read_events(inspect_log(path, nothing), how, nothing)
    with Rejects(None) as rejects:
        passed = pass_over(rows, how, rejects, events.append)
    return events, rejects.shown, passed.cases
