-- This load's id, and the last load that moved a tail: the one before it, for each load moves one and advances the token.
SELECT LOAD_ID, (SELECT COALESCE(MAX(LOAD_ID), 0) FROM RAW.LOAD_TAILS) AS TAILS_LOAD_ID
FROM RAW.LOAD_FENCE
WHERE ID = 1
