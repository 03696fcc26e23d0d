"""Seeded stand-ins for devices, people, links and days; production never imports this."""
