-- What change data capture needs at the source.

-- The connector updates this row every few seconds. The change passes through the publication, so the slot's position
-- moves on, and the log it holds back stays bounded, even when nobody touches a captured table.
CREATE TABLE cdc_heartbeat (
   id SMALLINT PRIMARY KEY CHECK (id = 1),
   beat_at TIMESTAMP WITH TIME ZONE NOT NULL
);
INSERT INTO cdc_heartbeat VALUES (1, now());
GRANT SELECT, UPDATE ON cdc_heartbeat TO bank_replication;

-- Made beforehand, so that the replication role needs to own nothing and no table is published by accident.
CREATE PUBLICATION bank_cdc
   FOR TABLE customers, accounts, transactions, cdc_heartbeat
   WITH (publish = 'insert, update, delete, truncate');
