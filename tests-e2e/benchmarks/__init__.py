"""Benchmarks of the whole native stack."""
