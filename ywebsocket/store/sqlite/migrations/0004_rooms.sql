-- The id of a room that was deleted is never given again, and what was set aside of one
-- goes with it. Foreign keys are not enforced while migrations run: the table is made
-- anew.
CREATE TABLE new_rooms (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    name    TEXT NOT NULL UNIQUE,
    created INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO new_rooms (id, name, created) SELECT id, name, created FROM rooms;
DROP TABLE rooms;
ALTER TABLE new_rooms RENAME TO rooms;
DELETE FROM damaged WHERE room NOT IN (SELECT id FROM rooms);
CREATE INDEX damaged_by_room ON damaged (room);
