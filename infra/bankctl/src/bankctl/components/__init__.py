"""What the stack runs and how each part is started and probed."""
