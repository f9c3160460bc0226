"""Segments: from decoded batches to Parquet objects, and the chain that they continue."""
