"""Measures what single statements cost on the local warehouse."""
