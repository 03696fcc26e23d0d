"""Ours against a peer or the physical floor, on the same input in the same run."""
