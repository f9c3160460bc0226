"""The adapters of the ports: one module per client library. Only the composition root and the commands import them."""
