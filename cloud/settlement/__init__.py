"""From verdicts to money: pure decisions about pay, and why."""
