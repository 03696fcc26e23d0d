"""Headquarters' store: the only room that speaks to a database."""
