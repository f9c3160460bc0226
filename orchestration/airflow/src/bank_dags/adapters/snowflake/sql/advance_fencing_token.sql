-- First statement of a load's transaction: a second load waits here until the first one has ended.
UPDATE RAW.LOAD_FENCE SET LOAD_ID = LOAD_ID + 1 WHERE ID = 1
