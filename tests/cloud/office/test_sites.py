import pytest
from pydantic import ValidationError

from agreed.directives import EndCredential, PutCredential, decode_directive
from cloud import reads
from cloud.database.engine import reading
from cloud.database.fleet import Place, directives_after
from cloud.office.refusals import UnknownError
from cloud.office.sites import (
    CredentialRequest,
    SiteRequest,
    WorkerRequest,
    end_credential,
    known_companies,
    open_company,
    open_site,
    put_credentials,
    put_workers,
)
from tests.cloud.world import BOX, PLACE, STREAM, T0, World

CARD = CredentialRequest(subject="w-1", role="worker", valid_from_ms=T0, valid_until_ms=T0 + 9)


def told(world: World) -> list[object]:
    with reading(world.engine) as connection:
        return [decode_directive(t) for t in directives_after(connection, BOX, STREAM, 0)]


def test_what_is_there_is_not_made_again(world: World) -> None:
    assert known_companies(world.engine) == ["acme"]
    assert not open_company(world.engine, "acme", "Other", T0)
    assert not open_site(world.engine, "acme", SiteRequest(site="north", name="Other"), T0)
    assert open_site(world.engine, "acme", SiteRequest(site="south", name="South"), T0)
    with reading(world.engine) as connection:
        assert [s.name for s in reads.sites(connection, "acme", T0)] == ["North", "South"]


def test_workers_are_added_and_renamed(world: World) -> None:
    requests = [WorkerRequest(worker=w, name=n) for w, n in (("w-1", "Wang"), ("w-9", "Li"))]
    put_workers(world.engine, PLACE, requests, T0)
    with reading(world.engine) as connection:
        found = {w.worker: w.name for w in reads.workers(connection, "acme", site="north")}
    assert found == {"w-1": "Wang", "w-2": "W2", "w-9": "Li"}


def test_cards_reach_the_boxes(world: World) -> None:
    put_credentials(world.engine, PLACE, {"c-1": CARD}, T0)
    put_credentials(world.engine, PLACE, {"c-1": CARD}, T0)
    end_credential(world.engine, PLACE, "c-1", T0)
    assert [type(d) for d in told(world)] == [PutCredential, PutCredential, EndCredential]
    with pytest.raises(UnknownError, match="c-1"):
        end_credential(world.engine, PLACE, "c-1", T0)
    put_credentials(world.engine, PLACE, {"c-1": CARD}, T0)
    end_credential(world.engine, PLACE, "c-1", T0)


def test_an_unknown_site_is_named(world: World) -> None:
    with pytest.raises(UnknownError, match="south"):
        put_workers(world.engine, Place("acme", "south"), [], T0)


def test_a_card_must_be_valid_for_some_time() -> None:
    with pytest.raises(ValidationError, match="valid_until_ms"):
        CredentialRequest(subject="w", role="worker", valid_from_ms=5, valid_until_ms=5)
