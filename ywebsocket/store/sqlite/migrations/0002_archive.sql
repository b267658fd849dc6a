-- Times are in microseconds since 1970; 0 in rows that are older than this migration.
ALTER TABLE rooms ADD COLUMN created INTEGER NOT NULL DEFAULT 0;
ALTER TABLE updates ADD COLUMN stored INTEGER NOT NULL DEFAULT 0;
-- CRC-32C of data; NULL in rows that are older than this migration.
ALTER TABLE updates ADD COLUMN checksum INTEGER;

-- Rows whose data no longer fit their checksum, set aside for whoever repairs them.
CREATE TABLE damaged (
    id       INTEGER NOT NULL,
    room     INTEGER NOT NULL,
    data     BLOB NOT NULL,
    stored   INTEGER NOT NULL,
    checksum INTEGER,
    found    INTEGER NOT NULL
) STRICT;

CREATE TABLE versions (
    id       INTEGER PRIMARY KEY AUTOINCREMENT, -- the order in which they were saved
    room     INTEGER NOT NULL REFERENCES rooms (id),
    name     TEXT NOT NULL,
    created  INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    data     BLOB NOT NULL,
    UNIQUE (room, name)
) STRICT;
