"""A historical event log, run through the same path from record to statement."""
