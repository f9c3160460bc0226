"""What the tests stand on: Debezium-like records, fakes named by behaviour, and oracles independent of the consumer."""
