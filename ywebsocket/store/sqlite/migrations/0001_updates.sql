CREATE TABLE rooms (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE updates (
    id   INTEGER PRIMARY KEY AUTOINCREMENT, -- the order of the log
    room INTEGER NOT NULL REFERENCES rooms (id),
    data BLOB NOT NULL
) STRICT;

CREATE INDEX updates_by_room ON updates (room, id);
