-- An entry of an index holds 2,700 bytes at most, and a name may be longer: names are
-- found, and kept apart, by their SHA-256, and listed by how they begin.
ALTER TABLE rooms ADD COLUMN hash bytea;
UPDATE rooms SET hash = sha256(convert_to(name, 'UTF8'));
ALTER TABLE rooms ALTER COLUMN hash SET NOT NULL, DROP CONSTRAINT rooms_name_key, ADD UNIQUE (hash);
CREATE INDEX rooms_by_name ON rooms (left(name, 256));

ALTER TABLE versions ADD COLUMN hash bytea;
UPDATE versions SET hash = sha256(convert_to(name, 'UTF8'));
ALTER TABLE versions ALTER COLUMN hash SET NOT NULL, DROP CONSTRAINT versions_room_name_key, ADD UNIQUE (room, hash);
