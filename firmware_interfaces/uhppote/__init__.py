"""UHPPOTE network access boards: up to four doors, an event memory of their own."""
