"""Doors wired to the box's own pins: strike, door contact, exit button."""
