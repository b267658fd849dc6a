package sqlite

import (
	"database/sql"
	"errors"
	"fmt"
	"hash/crc32"
	"time"
)

// append adds updates to a room's log. It runs in a transaction.
func (c *committer) append(room string, updates [][]byte) error {
	if len(updates) == 0 {
		return nil
	}
	id, stored, err := c.room(room)
	if err != nil {
		return fmt.Errorf("sqlite: room: %w", explain(err))
	}
	for _, update := range updates {
		if update == nil {
			update = []byte{} // nil would be NULL
		}
		if _, err := c.insertUpdate.Exec(id, update, stored, checksum(update)); err != nil {
			return fmt.Errorf("sqlite: insert: %w", explain(err))
		}
	}
	return nil
}

// room returns the id of a room, which is created if it does not exist, and the
// time for its next updates: now, but not before the last ones, even if the clock
// was set back.
func (c *committer) room(name string) (id, stored int64, err error) {
	now := time.Now().UnixMicro()
	err = c.selectRoom.QueryRow(name).Scan(&id, &stored)
	if errors.Is(err, sql.ErrNoRows) {
		err = c.insertRoom.QueryRow(name, now).Scan(&id)
	}
	return id, max(now, stored), err
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(data []byte) int64 { return int64(crc32.Checksum(data, castagnoli)) }
