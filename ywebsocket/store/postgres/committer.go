package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/yrs-go/yrs/ywebsocket/store"
)

const (
	// committers write at once: while one waits for the disk of the database, another
	// one's statement is on its way.
	committers = 2

	// maxBatchBytes and maxBatchRequests bound one statement, and with it the time that
	// its first request waits.
	maxBatchBytes    = 8 << 20
	maxBatchRequests = 4096

	// commitTimeout bounds one statement. A database that takes longer counts as gone.
	commitTimeout = 30 * time.Second

	// maxKnownRooms bounds the memory for the ids of rooms.
	maxKnownRooms = 1 << 16
)

// request is one Append.
type request struct {
	room    string
	updates [][]byte
	done    chan error // buffered: a committer never waits for the caller
}

func (r *request) size() int {
	n := 0
	for _, update := range r.updates {
		n += len(update)
	}
	return n
}

// committer writes requests to the database in group commits. A room's requests come
// one after another, so that it does not matter which goroutine takes them.
type committer struct {
	// pool is its own: nobody who reads keeps it from writing.
	pool     *pgxpool.Pool
	requests chan *request // unbuffered: a request handed over is always answered
	closing  chan struct{}
	stopOnce sync.Once
	running  sync.WaitGroup

	mu    sync.Mutex
	rooms map[string]int64
}

func startCommitter(pool *pgxpool.Pool) *committer {
	c := &committer{
		pool:     pool,
		requests: make(chan *request),
		closing:  make(chan struct{}),
		rooms:    make(map[string]int64),
	}
	for range committers {
		c.running.Go(c.run)
	}
	return c
}

// submit waits until the updates are committed.
func (c *committer) submit(ctx context.Context, room string, updates [][]byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if c.closed() {
		return store.ErrClosed
	}
	if len(updates) == 0 {
		return nil
	}
	r := &request{room: room, updates: updates, done: make(chan error, 1)}
	select {
	case c.requests <- r:
	case <-c.closing:
		return store.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	// From here on a committer reads the updates: it must finish before the caller has
	// them back, so the context no longer counts.
	return <-r.done
}

func (c *committer) closed() bool {
	select {
	case <-c.closing:
		return true
	default:
		return false
	}
}

// stop answers what has been handed over, then ends the committers.
func (c *committer) stop() {
	c.stopOnce.Do(func() { close(c.closing) })
	c.running.Wait()
}

func (c *committer) run() {
	for {
		select {
		case r := <-c.requests:
			c.commit(c.gather(r))
		case <-c.closing:
			return
		}
	}
}

// gather adds to the first request those that are waiting behind it.
func (c *committer) gather(first *request) []*request {
	batch := []*request{first}
	for size := first.size(); size < maxBatchBytes && len(batch) < maxBatchRequests; {
		select {
		case r := <-c.requests:
			batch = append(batch, r)
			size += r.size()
		default:
			return batch
		}
	}
	return batch
}

// commit writes the batch in one transaction. When that fails, each request gets a
// transaction of its own, so that one of them does not fail the others.
func (c *committer) commit(batch []*request) {
	err := c.insert(batch)
	if isForeignKeyViolation(err) {
		err = c.insert(batch) // a room was deleted that is made anew now
	}
	if err == nil || len(batch) == 1 || isGone(err) {
		for _, r := range batch {
			r.done <- err
		}
		return
	}
	for _, r := range batch {
		r.done <- c.insert([]*request{r})
	}
}

// insert writes all updates of a batch in one transaction, which is one statement
// unless there are new rooms.
func (c *committer) insert(batch []*request) error {
	ctx, cancel := context.WithTimeout(context.Background(), commitTimeout)
	defer cancel()
	ids, unknown := c.roomIDs(batch)
	if len(unknown) == 0 {
		return c.insertUpdates(ctx, c.pool, batch, ids)
	}
	var made map[string]int64
	err := transact(ctx, c.pool, func(tx pgx.Tx) (err error) {
		if made, err = makeRooms(ctx, tx, unknown); err != nil {
			return fmt.Errorf("postgres: room id: %w", explain(err))
		}
		maps.Copy(ids, made)
		return c.insertUpdates(ctx, tx, batch, ids)
	})
	if err != nil {
		return err
	}
	c.remember(made)
	return nil
}

// insertUpdates appends the updates of a batch to the logs of rooms with these ids. The
// times of a room do not decrease, even if the clock was set back.
func (c *committer) insertUpdates(ctx context.Context, q queryer, batch []*request, ids map[string]int64) error {
	var rooms, sums []int64
	var updates [][]byte
	for _, r := range batch {
		for _, update := range r.updates {
			if update == nil {
				update = []byte{} // nil would be NULL
			}
			rooms = append(rooms, ids[r.room])
			updates = append(updates, update)
			sums = append(sums, checksum(update))
		}
	}
	_, err := q.Exec(ctx, `
		INSERT INTO updates (room, data, checksum, stored)
		SELECT input.room, data, checksum, greatest(now(), last.stored)
		FROM unnest($1::bigint[], $2::bytea[], $3::bigint[]) WITH ORDINALITY AS input (room, data, checksum, n)
		LEFT JOIN (
			SELECT room, (SELECT stored FROM updates WHERE updates.room = chosen.room ORDER BY id DESC LIMIT 1) AS stored
			FROM unnest($4::bigint[]) AS chosen (room)) AS last ON last.room = input.room
		ORDER BY n`, rooms, updates, sums, slices.Collect(maps.Values(ids)))
	if err != nil {
		if isForeignKeyViolation(err) {
			c.forget(slices.Collect(maps.Keys(ids))...)
		}
		return fmt.Errorf("postgres: insert: %w", explain(err))
	}
	return nil
}

// roomIDs returns the ids of the rooms of a batch that are known, and the names of the
// others.
func (c *committer) roomIDs(batch []*request) (ids map[string]int64, unknown []string) {
	ids = make(map[string]int64, len(batch))
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range batch {
		if id, known := c.rooms[r.room]; known {
			ids[r.room] = id
		} else {
			unknown = append(unknown, r.room)
		}
	}
	return ids, unknown
}

// makeRooms returns the ids of rooms, and creates those that are new. They are created
// in the transaction of their first updates, and so at the same time.
func makeRooms(ctx context.Context, tx pgx.Tx, names []string) (map[string]int64, error) {
	_, err := tx.Exec(ctx, `
		INSERT INTO rooms (name, hash)
		SELECT DISTINCT name, `+hashOf("name")+` FROM unnest($1::text[]) AS name ORDER BY name
		ON CONFLICT DO NOTHING`, names)
	if err != nil {
		return nil, err
	}
	rows, err := tx.Query(ctx, `
		SELECT id, name FROM rooms WHERE hash IN (SELECT `+hashOf("name")+` FROM unnest($1::text[]) AS name)`, names)
	if err != nil {
		return nil, err
	}
	ids := make(map[string]int64, len(names))
	var id int64
	var name string
	_, err = pgx.ForEachRow(rows, []any{&id, &name}, func() error {
		ids[name] = id
		return nil
	})
	return ids, err
}

// remember keeps the ids of rooms that were committed.
func (c *committer) remember(ids map[string]int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.rooms) >= maxKnownRooms {
		clear(c.rooms)
	}
	maps.Copy(c.rooms, ids)
}

// forget has the ids of rooms asked for again, because somebody has deleted them.
func (c *committer) forget(rooms ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, name := range rooms {
		delete(c.rooms, name)
	}
}

func isForeignKeyViolation(err error) bool {
	var failure *pgconn.PgError
	return errors.As(err, &failure) && failure.Code == "23503"
}

// isGone reports whether the database did not answer, so that trying the requests
// one by one is of no use.
func isGone(err error) bool {
	var failure *pgconn.PgError
	return !errors.As(err, &failure)
}
