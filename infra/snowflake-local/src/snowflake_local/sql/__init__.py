"""Rewrites of statements before DuckDB sees them."""
