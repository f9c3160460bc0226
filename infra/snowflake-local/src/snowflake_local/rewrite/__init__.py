"""Snowflake's syntax trees into plans: SQL of DuckDB, and what has to hold around it. Pure."""
