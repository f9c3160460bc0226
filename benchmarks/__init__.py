"""Benchmarks: each one a package that runs with `python -m`, on a stack of its own."""
