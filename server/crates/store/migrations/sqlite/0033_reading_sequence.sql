-- The number of a reading among those of its meter, from 1, in the order in which they were read: one that is taken out between
-- others leaves a gap, also where the energy of its hour stays the same. NULL: the meter's midnight values, which are stored
-- afterwards, and readings that are older than this column.
ALTER TABLE readings ADD COLUMN sequence BIGINT;
