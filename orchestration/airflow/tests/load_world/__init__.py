"""What the load's tests are made of: segments, a landing and a warehouse in memory, and the real ones of the stack."""
