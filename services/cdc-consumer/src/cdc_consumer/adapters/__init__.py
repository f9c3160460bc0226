"""The world outside: one module per client library. Only the composition root imports them."""
