"""Finding out what hangs on a wire, rehearsing it with a person, and recording what it says."""
