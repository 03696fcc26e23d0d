"""What became of each promise, recomputed from the records: pure decisions."""
