"""Takes in blocks exactly once in effect, and answers only after the commit."""
