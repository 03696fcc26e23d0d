"""Cuts of the power: of a real file system, and of every write that a recorded journal made."""
