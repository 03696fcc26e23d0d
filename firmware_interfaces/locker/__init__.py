"""Locker boards: a table of kinds, one machine."""
