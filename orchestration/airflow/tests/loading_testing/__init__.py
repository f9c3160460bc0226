"""Test support of the load: segments, a landing and a warehouse in memory, and the real ones of the stack."""
