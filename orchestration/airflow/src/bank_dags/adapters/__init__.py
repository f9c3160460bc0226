"""The adapters: the landing bucket, and the warehouse."""
