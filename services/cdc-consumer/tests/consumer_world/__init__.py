"""What the tests stand on: Debezium-like records, fakes named by behaviour, and oracles that share no code with the consumer."""
