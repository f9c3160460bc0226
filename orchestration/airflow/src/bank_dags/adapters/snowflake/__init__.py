"""The warehouse through the Snowflake connector."""
