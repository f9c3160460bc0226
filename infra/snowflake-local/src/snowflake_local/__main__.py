"""`python -m snowflake_local`."""

from snowflake_local.main import app

app()
