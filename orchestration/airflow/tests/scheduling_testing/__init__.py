"""A parent with a scheduler and a metadata database that a test drives by files."""
