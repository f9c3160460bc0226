-- Who may do what. Roles belong to the cluster, so each is made only where it is missing; passwords are set by
-- `bank provision` from generated secrets and never stand in a file.

DO $$
BEGIN
   IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'bank_app') THEN
      CREATE ROLE bank_app LOGIN;
   END IF;
   IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'bank_replication') THEN
      CREATE ROLE bank_replication LOGIN REPLICATION;
   END IF;
   IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'bank_reader') THEN
      CREATE ROLE bank_reader LOGIN;
   END IF;
   EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
   EXECUTE format('GRANT CONNECT ON DATABASE %I TO bank_app, bank_replication, bank_reader', current_database());
END
$$;

GRANT USAGE ON SCHEMA public TO bank_app, bank_replication, bank_reader;

-- bank_app: the bank's own work.
GRANT SELECT, INSERT, UPDATE, DELETE ON customers, accounts, transactions TO bank_app;
GRANT USAGE ON SEQUENCE customers_id_seq, accounts_id_seq, transactions_id_seq TO bank_app;

-- bank_replication: reads what is published, for the initial snapshot.
GRANT SELECT ON customers, accounts, transactions TO bank_replication;

-- bank_reader: compares the source with the marts.
GRANT SELECT ON customers, accounts, transactions TO bank_reader;
