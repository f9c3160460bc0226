"""Loading: landing minus ledger into RAW, each segment once."""
