"""The loop: partitions assigned, records batched, buffers flushed, offsets committed."""
