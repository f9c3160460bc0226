"""Verification: the source against the marts, and the landing chains."""
