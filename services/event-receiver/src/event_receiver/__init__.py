"""MinIO's webhook to one coalesced wake-up of the load."""
