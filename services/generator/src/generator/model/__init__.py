"""What the bank does next, and what it knows of itself. Pure."""
