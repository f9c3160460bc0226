"""A local stand-in for Snowflake behind the real connector protocol: fakesnow's transforms, and DuckDB."""
