-- What a load rests on: the stage that segments pass through, the fence that lets one load commit at a time, the
-- ledger of what was loaded, and the record of what was built from it.

CREATE STAGE IF NOT EXISTS RAW.LANDING;

-- Exactly one row. A load updates it first: two loads at once wait for each other here, and LOAD_ID is the load's id.
CREATE TABLE IF NOT EXISTS RAW.LOAD_FENCE (
   ID NUMBER(1,0),
   LOAD_ID NUMBER(20,0)
);
MERGE INTO RAW.LOAD_FENCE AS fence
   USING (SELECT 1 AS ID) AS first_row
   ON fence.ID = first_row.ID
   WHEN NOT MATCHED THEN INSERT (ID, LOAD_ID) VALUES (first_row.ID, 0);

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

-- One row for each successful build: the id of the last load that it could see, read before it started.
CREATE TABLE IF NOT EXISTS RAW.BUILD_LEDGER (
   BUILT_LOAD_ID NUMBER(20,0),
   RUN_ID VARCHAR,
   BUILT_AT TIMESTAMP_TZ(6)
);
