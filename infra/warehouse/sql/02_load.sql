-- Objects of the load: the stage that segments pass through, the fence that lets one load commit at a time, the
-- ledger of what was loaded, and the record of what was built from it.

CREATE STAGE IF NOT EXISTS RAW.LANDING;

-- Exactly one row. A load advances the fencing token LOAD_ID first: two loads at once wait for each other here.
CREATE TABLE IF NOT EXISTS RAW.LOAD_FENCE (
   ID NUMBER(1,0),
   LOAD_ID NUMBER(20,0)
);

-- One row for each landed segment that was loaded, or skipped on record (STATUS 'loaded' or 'skipped').
CREATE TABLE IF NOT EXISTS RAW.LOAD_LEDGER (
   SEGMENT VARCHAR,
   TOPIC VARCHAR,
   TOPIC_PARTITION NUMBER(10,0),
   START_OFFSET NUMBER(20,0),
   END_OFFSET NUMBER(20,0),
   ROW_COUNT NUMBER(20,0),
   REJECTED_COUNT NUMBER(20,0),
   SCHEMA_ID NUMBER(10,0),
   CONTENT_SHA256 VARCHAR,
   LOAD_ID NUMBER(20,0),
   CHANGES_MARTS BOOLEAN,
   STATUS VARCHAR,
   REASON VARCHAR,
   LOADED_AT TIMESTAMP_TZ(6)
);

-- A fence that was lost is made again with the last number: with a lower one no build would be pending after a load.
MERGE INTO RAW.LOAD_FENCE AS fence
   USING (SELECT 1 AS ID, COALESCE(MAX(LOAD_ID), 0) AS LOAD_ID FROM RAW.LOAD_LEDGER) AS known
   ON fence.ID = known.ID
   WHEN NOT MATCHED THEN INSERT (ID, LOAD_ID) VALUES (known.ID, known.LOAD_ID);

-- One row for each chain: the last of its rows in the ledger, moved in the load's own transaction. A load plans
-- with it, so that its cost does not grow with the ledger. CHANGED_LOAD_ID is the chain's last load that changes marts.
CREATE TABLE IF NOT EXISTS RAW.LOAD_TAILS (
   TOPIC VARCHAR,
   TOPIC_PARTITION NUMBER(10,0),
   START_OFFSET NUMBER(20,0),
   END_OFFSET NUMBER(20,0),
   STATUS VARCHAR,
   LOAD_ID NUMBER(20,0),
   LOADED_AT TIMESTAMP_TZ(6),
   CHANGED_LOAD_ID NUMBER(20,0)
);
-- From a ledger that is older than its tails; changes nothing where they agree.
MERGE INTO RAW.LOAD_TAILS AS TAILS
   USING (
      SELECT
         TOPIC, TOPIC_PARTITION, START_OFFSET, END_OFFSET, STATUS, LOAD_ID, LOADED_AT,
         MAX(IFF(CHANGES_MARTS, LOAD_ID, NULL)) OVER (PARTITION BY TOPIC, TOPIC_PARTITION) AS CHANGED_LOAD_ID
      FROM RAW.LOAD_LEDGER
      QUALIFY ROW_NUMBER() OVER (PARTITION BY TOPIC, TOPIC_PARTITION ORDER BY START_OFFSET DESC, END_OFFSET DESC) = 1
   ) AS LEDGER
   ON TAILS.TOPIC = LEDGER.TOPIC AND TAILS.TOPIC_PARTITION = LEDGER.TOPIC_PARTITION
   WHEN MATCHED AND TAILS.END_OFFSET < LEDGER.END_OFFSET THEN UPDATE SET
      START_OFFSET = LEDGER.START_OFFSET,
      END_OFFSET = LEDGER.END_OFFSET,
      STATUS = LEDGER.STATUS,
      LOAD_ID = LEDGER.LOAD_ID,
      LOADED_AT = LEDGER.LOADED_AT,
      CHANGED_LOAD_ID = LEDGER.CHANGED_LOAD_ID
   WHEN NOT MATCHED THEN INSERT
      (TOPIC, TOPIC_PARTITION, START_OFFSET, END_OFFSET, STATUS, LOAD_ID, LOADED_AT, CHANGED_LOAD_ID)
      VALUES (LEDGER.TOPIC, LEDGER.TOPIC_PARTITION, LEDGER.START_OFFSET, LEDGER.END_OFFSET, LEDGER.STATUS,
         LEDGER.LOAD_ID, LEDGER.LOADED_AT, LEDGER.CHANGED_LOAD_ID);

-- Decisions on record: the records of a topic partition from FIRST_OFFSET on were written by another life of the source
-- (other data, whose LSNs do not go on from those before), the EPOCH-th. Records before the first row are of epoch 1.
CREATE TABLE IF NOT EXISTS RAW.SOURCE_EPOCHS (
   EPOCH NUMBER(10,0),
   TOPIC VARCHAR,
   TOPIC_PARTITION NUMBER(10,0),
   FIRST_OFFSET NUMBER(20,0),
   SYSTEM_IDENTIFIER VARCHAR,
   TIMELINE NUMBER(10,0),
   DECIDED_BY VARCHAR,
   DECIDED_AT TIMESTAMP_TZ(6),
   REASON VARCHAR
);

-- One row for each successful build: the id of the last load that it could see, read before it started.
CREATE TABLE IF NOT EXISTS RAW.BUILD_LEDGER (
   BUILT_LOAD_ID NUMBER(20,0),
   RUN_ID VARCHAR,
   BUILT_AT TIMESTAMP_TZ(6)
);

-- Exactly one row: the build that runs, or the last one. A build takes the next number by compare-and-set and writes a
-- heartbeat; its dbt compares the number (analytics/banking_dbt/macros/build_fence.sql) and adds the sessions that write.
CREATE TABLE IF NOT EXISTS RAW.BUILD_FENCE (
   ID NUMBER(1,0),
   BUILD_NUMBER NUMBER(20,0),
   OWNER VARCHAR,
   HOLDER VARCHAR,
   LOCK_NAME VARCHAR,
   SESSIONS VARCHAR,
   STARTED_AT TIMESTAMP_TZ(6),
   HEARTBEAT_AT TIMESTAMP_TZ(6),
   ENDED_AT TIMESTAMP_TZ(6)
);
MERGE INTO RAW.BUILD_FENCE AS fence
   USING (SELECT 1 AS ID) AS first_row
   ON fence.ID = first_row.ID
   WHEN NOT MATCHED THEN INSERT (ID, BUILD_NUMBER) VALUES (first_row.ID, 0);

-- One row for each build that was taken over because its owner was dead.
CREATE TABLE IF NOT EXISTS RAW.BUILD_TAKEOVERS (
   BUILD_NUMBER NUMBER(20,0),
   HOLDER VARCHAR,
   SILENT_SECONDS NUMBER(20,0),
   TAKEN_BY_NUMBER NUMBER(20,0),
   TAKEN_BY VARCHAR,
   TAKEN_AT TIMESTAMP_TZ(6)
);
