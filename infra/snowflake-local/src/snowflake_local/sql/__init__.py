"""What is done to statements before DuckDB sees them."""
