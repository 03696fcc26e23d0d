"""Every table can be spread by company and site, and holds whole numbers only."""

import pytest
from sqlalchemy import Float, Numeric, Table

from cloud.database.schema import metadata

WITHOUT_SITE = {"companies", "packs", "users"}


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=lambda t: t.name)
def test_keys_begin_with_company_and_site(table: Table) -> None:
    wanted = ["company"] if table.name in WITHOUT_SITE else ["company", "site"]
    assert [c.name for c in table.primary_key][: len(wanted)] == wanted
    for index in table.indexes:
        assert [c.name for c in index.columns][:2] == ["company", "site"]


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=lambda t: t.name)
def test_no_column_holds_fractions(table: Table) -> None:
    assert not [c for c in table.columns if isinstance(c.type, (Float, Numeric))]
