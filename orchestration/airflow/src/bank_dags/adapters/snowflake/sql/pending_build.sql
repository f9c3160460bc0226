-- The last load that changes marts, the last one that a successful build has seen, and how long ago a build that runs
-- gave its last sign of life.
SELECT
   (SELECT MAX(CHANGED_LOAD_ID) FROM RAW.LOAD_TAILS) AS CHANGED_LOAD_ID,
   (SELECT MAX(BUILT_LOAD_ID) FROM RAW.BUILD_LEDGER) AS BUILT_LOAD_ID,
   (
      SELECT TIMESTAMPDIFF('second', HEARTBEAT_AT, CURRENT_TIMESTAMP())
      FROM RAW.BUILD_FENCE WHERE ID = 1 AND OWNER IS NOT NULL AND ENDED_AT IS NULL
   ) AS SILENT_SECONDS
