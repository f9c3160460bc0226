"""Helpers of the envelope's tests: records as Debezium writes them, and damage to their bytes."""
