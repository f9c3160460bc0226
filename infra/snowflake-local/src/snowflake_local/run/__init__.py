"""Plans and commands at work: under the rules of a transaction, on DuckDB."""
