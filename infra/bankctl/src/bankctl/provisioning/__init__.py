"""Provisioning: creates tables, topics, rules, buckets, RAW tables and the connector. Every step is idempotent."""
