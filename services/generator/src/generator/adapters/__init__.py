"""Adapters to the outside: Postgres."""
