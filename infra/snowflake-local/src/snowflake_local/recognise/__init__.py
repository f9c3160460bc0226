"""Statements that are known by their words: they go past the parser and the rewrites."""
