"""The one command, `duifu`."""
