"""A local stand-in for Snowflake: fakesnow behind the real connector protocol, with patches for what it lacks."""
