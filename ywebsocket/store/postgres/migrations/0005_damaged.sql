-- What was set aside belongs to a room, and goes with it.
DELETE FROM damaged WHERE NOT EXISTS (SELECT 1 FROM rooms WHERE id = damaged.room);
ALTER TABLE damaged ADD FOREIGN KEY (room) REFERENCES rooms ON DELETE CASCADE;
CREATE INDEX damaged_of_room ON damaged (room);
