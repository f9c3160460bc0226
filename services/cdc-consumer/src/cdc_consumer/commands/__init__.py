"""The commands beside `run`. Like the composition root, they may know settings and adapters at once."""
