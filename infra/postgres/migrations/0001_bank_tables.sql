-- The bank's tables. Everything downstream (RAW, staging, history) is derived from what stands here.

CREATE TABLE IF NOT EXISTS customers (
   id SERIAL PRIMARY KEY,
   first_name VARCHAR(100) NOT NULL,
   last_name VARCHAR(100) NOT NULL,
   email VARCHAR(255) UNIQUE NOT NULL,
   created_at TIMESTAMP WITH TIME ZONE DEFAULT now()
);
CREATE TABLE IF NOT EXISTS accounts (
   id SERIAL PRIMARY KEY,
   customer_id INT NOT NULL REFERENCES customers(id) ON DELETE CASCADE,
   account_type VARCHAR(50) NOT NULL,
   balance NUMERIC(18,2) NOT NULL DEFAULT 0 CHECK (balance >= 0),
   currency CHAR(3) NOT NULL DEFAULT 'USD',
   created_at TIMESTAMP WITH TIME ZONE DEFAULT now()
);
CREATE TABLE IF NOT EXISTS transactions (
   id BIGSERIAL PRIMARY KEY,
   account_id INT NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
   txn_type VARCHAR(50) NOT NULL, -- DEPOSIT | WITHDRAWAL | TRANSFER
   amount NUMERIC(18,2) NOT NULL CHECK (amount > 0),
   related_account_id INT NULL, -- for transfers
   status VARCHAR(20) NOT NULL DEFAULT 'COMPLETED',
   created_at TIMESTAMP WITH TIME ZONE DEFAULT now()
);

-- A cascading delete looks its children up by these; without them each deleted parent reads the whole child table.
CREATE INDEX IF NOT EXISTS accounts_customer_id_idx ON accounts (customer_id);
CREATE INDEX IF NOT EXISTS transactions_account_id_idx ON transactions (account_id);
