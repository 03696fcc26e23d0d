"""The agent on the box: devices, journal, checks, sync."""
