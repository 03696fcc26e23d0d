"""Lists of money as files, for people and for other programs."""
