-- The last load that changes marts, and the last one that a successful build has seen.
SELECT
   (SELECT MAX(CHANGED_LOAD_ID) FROM RAW.LOAD_TAILS) AS CHANGED_LOAD_ID,
   (SELECT MAX(BUILT_LOAD_ID) FROM RAW.BUILD_LEDGER) AS BUILT_LOAD_ID
