"""A local stand-in for Snowflake: fakesnow behind the real connector protocol, with its gaps filled."""
