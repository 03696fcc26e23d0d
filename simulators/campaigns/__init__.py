"""Campaigns that are run for hours: many seeds, many hostile bytes, each with its figures."""
