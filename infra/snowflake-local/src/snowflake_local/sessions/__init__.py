"""A session: its transaction, its locks, its parameters, and the statement that it runs."""
