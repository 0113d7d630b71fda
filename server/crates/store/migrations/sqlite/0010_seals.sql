-- The keyed hash of each row that the server wrote into the books (`store::seal`), by table and primary key.
CREATE TABLE seals (
    tbl TEXT NOT NULL,
    row_key TEXT NOT NULL,
    seal BLOB NOT NULL,
    PRIMARY KEY (tbl, row_key)
) WITHOUT ROWID;
