"""Measures how far RAW and marts are behind a bank that works steadily, and what it costs."""
