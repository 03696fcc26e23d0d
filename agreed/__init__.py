"""What edge and cloud agree on; imports nothing else of ours and does no I/O."""
