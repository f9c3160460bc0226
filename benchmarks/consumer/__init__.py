"""Measures what landing costs, on real changes."""
