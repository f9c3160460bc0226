"""What the end-to-end suite stands on: ways to drive the stack, and oracles that know nothing of our own ledgers."""
