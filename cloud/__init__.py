"""Headquarters: ingest, fulfilment, settlement, dashboards."""
