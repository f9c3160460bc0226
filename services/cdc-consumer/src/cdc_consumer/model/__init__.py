"""Decisions and what they are made on: pure, without clocks of their own, input or output."""
