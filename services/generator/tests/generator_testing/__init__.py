"""Test support of the generator: a bank in memory, the port's contract suite, real scratch databases."""
