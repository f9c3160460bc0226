"""Makes components what the pipeline needs: tables, topics, rules, buckets, RAW tables, connector. All idempotent."""
