"""Everything the API and the pages may ask: typed rows, no writing. See `cloud.database.views`."""

from cloud.database.previews import count_previews, last_previews
from cloud.database.read_fleet import at_risk, box, boxes, company, incidents, overview, sites
from cloud.database.read_ledger import (
    TransferFilter,
    accounts,
    all_transfers,
    balances_at,
    ledger_check,
    transfers,
)
from cloud.database.read_orders import OrderFilter, evidence, order_view, orders, verdicts
from cloud.database.read_statements import statement, workers

__all__ = [
    "OrderFilter",
    "TransferFilter",
    "accounts",
    "all_transfers",
    "at_risk",
    "balances_at",
    "box",
    "boxes",
    "company",
    "count_previews",
    "evidence",
    "incidents",
    "last_previews",
    "ledger_check",
    "order_view",
    "orders",
    "overview",
    "sites",
    "statement",
    "transfers",
    "verdicts",
    "workers",
]
