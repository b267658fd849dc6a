-- States that were given a name.
CREATE TABLE versions (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    room     bigint NOT NULL REFERENCES rooms ON DELETE CASCADE,
    name     text COLLATE "C" NOT NULL,
    created  timestamptz NOT NULL DEFAULT now(),
    checksum bigint NOT NULL, -- CRC-32C of data
    data     bytea NOT NULL,
    UNIQUE (room, name)
);
