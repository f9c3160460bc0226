"""A bank at work: customers, accounts and money moving, written to Postgres."""
