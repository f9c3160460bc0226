"""What the generator's tests share: a bank in memory, the promises of every ledger, real scratch databases."""
