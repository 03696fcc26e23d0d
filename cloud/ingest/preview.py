"""Shows what happens now although records before it are still on their way."""

from collections.abc import Iterable

from sqlalchemy import Engine

from cloud.database.engine import writing
from cloud.database.fleet import find_journal, lock_site
from cloud.database.previews import add_previews
from cloud.ingest.checking import Arrival, Checked, check
from cloud.ingest.decision import Holding
from cloud.ingest.standing import standing_of


def take_previews(engine: Engine, arrivals: Iterable[Arrival], now_ms: int) -> int:
    """Show records of boxes in service, if they signed them; gives how many were new.

    What is not as it should be is passed over: the same blocks come again in their turn, and
    then a person hears of it. Nothing is answered.
    """
    checked = [one for one in map(check, arrivals) if isinstance(one, Checked)]
    if not checked:
        return 0
    count = 0
    with writing(engine) as connection:
        for one in checked:
            if lock_site(connection, one.box.place) is None:
                continue
            standing = standing_of(connection, one.box, now_ms)
            held = find_journal(connection, one.box, one.epoch) or Holding()
            if standing is None or standing.key is None or held.is_refused:
                continue
            if one.is_signed_by(standing.key.public):
                count += add_previews(connection, one.box, one.blocks, held.through, now_ms)
    return count
