-- Rows that stand for everything before them. One that is older than this migration may
-- be the first of its room.
ALTER TABLE updates ADD COLUMN checkpoint bool NOT NULL DEFAULT false;
ALTER TABLE damaged ADD COLUMN checkpoint bool NOT NULL DEFAULT false;
UPDATE updates SET checkpoint = true
WHERE id IN (SELECT min(id) FROM updates GROUP BY room);
