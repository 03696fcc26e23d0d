"""The journal of a real ledger: Beancount's balances are the ledger's own."""

from beancount import loader
from beancount.core import data

from cloud.database import read_journal
from cloud.database.engine import reading
from cloud.database.read_ledger import accounts
from cloud.settlement.journal_text import account_name, journal
from tests.cloud.world import HOUR, T0, World, alive, finished, passed


def test_an_independent_program_finds_the_same_balances(world: World) -> None:
    world.order("o-1")
    world.fund(9_000)
    world.tell(passed(T0 + HOUR), finished(T0 + 2 * HOUR, "o-1"), alive(T0 + 9 * HOUR))
    with reading(world.engine) as connection:
        text = "".join(journal(read_journal.entries(connection, "acme"), 480))
        views = accounts(connection, "acme")
        assert read_journal.entries(connection, "acme", "nowhere") == []
    entries, errors, _options = loader.load_string(text)
    assert errors == []
    held: dict[str, int] = {}
    for entry in entries:
        if isinstance(entry, data.Transaction):
            for posting in entry.postings:
                assert posting.units is not None
                assert posting.units.number is not None
                fen = int(posting.units.number.scaleb(2))
                held[posting.account] = held.get(posting.account, 0) - fen
    assert held == {account_name("north", v.account, v.kind): v.balance_fen for v in views}
