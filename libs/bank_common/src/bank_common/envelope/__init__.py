"""Debezium's envelope on the wire: Avro schemas to typed columns, and the two decoders of its records."""
