"""Reads what a plan pays one person node by node: the detail behind a run's piece line."""

from dataclasses import dataclass

from sqlalchemy import Connection

from cloud.database.fleet import Place
from cloud.database.read_month import read_earnings, stretch_of
from cloud.settlement.facts import Facts
from cloud.settlement.pieces import pieces_of, rates_of
from cloud.settlement.plans import Plan


@dataclass(frozen=True, slots=True)
class PieceView:
    """What one node earns one person under a plan, by what is known now.

    Attributes:
        pack, pack_version: what was agreed.
        role: as what the person is paid.
        proof: box/epoch/sequence of the record; "" where nothing was seen.
        formula: with the numbers put in.
    """

    order_id: str
    node: str
    pack: str
    pack_version: int
    role: str
    at_ms: int
    amount_fen: int
    formula: str
    proof: str


def read_pieces(
    connection: Connection, place: Place, period: str, plan: Plan, worker: str
) -> list[PieceView]:
    """List a person's nodes of a month, also those of a crew, in the order of the deeds."""
    stretch = stretch_of(connection, place, period)
    earnings = read_earnings(connection, stretch, plan, worker)
    rates = rates_of(plan, Facts(place.company, place.site, period, earnings, ()))
    found = [
        PieceView(
            order_id=piece.earning.order_id,
            node=piece.earning.node,
            pack=piece.earning.pack,
            pack_version=piece.earning.pack_version,
            role=piece.role,
            at_ms=piece.earning.at_ms,
            amount_fen=piece.amount_fen,
            formula=piece.formula,
            proof=piece.earning.proof,
        )
        for earning in earnings
        for piece in pieces_of(rates, earning)
        if piece.worker == worker
    ]
    return sorted(found, key=lambda piece: (piece.at_ms, piece.order_id, piece.node, piece.role))
