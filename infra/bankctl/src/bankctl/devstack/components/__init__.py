"""The components of the stack: how each is started and probed."""
