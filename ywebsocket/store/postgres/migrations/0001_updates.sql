-- Names are compared byte for byte.
CREATE TABLE rooms (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name    text COLLATE "C" NOT NULL UNIQUE,
    created timestamptz NOT NULL DEFAULT now()
);

-- A room's log, in the order of id.
CREATE TABLE updates (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    room     bigint NOT NULL REFERENCES rooms ON DELETE CASCADE,
    data     bytea NOT NULL,
    checksum bigint NOT NULL, -- CRC-32C of data
    stored   timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX updates_of_room ON updates (room, id);

-- Rows whose data no longer fit their checksum, set aside for whoever repairs them.
CREATE TABLE damaged (LIKE updates);
ALTER TABLE damaged ADD COLUMN found timestamptz NOT NULL DEFAULT now();
