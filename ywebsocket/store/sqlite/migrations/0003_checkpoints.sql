-- 1 in rows that stand for everything before them. One that is older than this migration
-- may be the first of its room.
ALTER TABLE updates ADD COLUMN checkpoint INTEGER NOT NULL DEFAULT 0;
ALTER TABLE damaged ADD COLUMN checkpoint INTEGER NOT NULL DEFAULT 0;
UPDATE updates SET checkpoint = 1
WHERE id IN (SELECT min(id) FROM updates GROUP BY room);
