"""A whole site and its headquarters in one process, played by a seed in virtual time."""
