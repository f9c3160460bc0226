"""Drivers of the stack for the end-to-end suite, and oracles that do not read the pipeline's own ledgers."""
