package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"sync"

	"github.com/yrs-go/yrs/ywebsocket/store"
)

// maxBatchBytes and maxBatchRequests bound one transaction, and with it the time
// that its first request waits.
const (
	maxBatchBytes    = 8 << 20
	maxBatchRequests = 1024
)

// request is a write that waits for its commit.
type request struct {
	write func() error // runs in the transaction; nil writes nothing
	size  int          // of what is written, in bytes, roughly
	done  chan error   // buffered: the committer never waits for the caller
}

// committer runs writes on the database in group commits. It owns the one
// connection that writes: the rows of a table become visible in the order of their
// ids.
type committer struct {
	conn         *sql.Conn
	place        *place
	selectRoom   *sql.Stmt
	insertRoom   *sql.Stmt
	insertUpdate *sql.Stmt

	requests chan *request // unbuffered: a request handed over is always answered
	closing  chan struct{}
	finished chan struct{}
	stopOnce sync.Once
}

// startCommitter starts the committer on conn, which it closes in the end.
func startCommitter(ctx context.Context, conn *sql.Conn, where *place) (*committer, error) {
	c := &committer{
		conn:     conn,
		place:    where,
		requests: make(chan *request),
		closing:  make(chan struct{}),
		finished: make(chan struct{}),
	}
	statements := map[**sql.Stmt]string{
		&c.selectRoom: `
			SELECT id, ifnull((SELECT stored FROM updates WHERE room = rooms.id ORDER BY id DESC LIMIT 1), 0)
			FROM rooms WHERE name = ?`,
		&c.insertRoom:   `INSERT INTO rooms (name, created) VALUES (?, ?) RETURNING id`,
		&c.insertUpdate: `INSERT INTO updates (room, data, stored, checksum) VALUES (?, ?, ?, ?)`,
	}
	for statement, text := range statements {
		var err error
		if *statement, err = conn.PrepareContext(ctx, text); err != nil {
			return nil, err
		}
	}
	go c.run()
	return c, nil
}

// submit has write run in a transaction, and waits until that is committed. write
// uses c.conn, on which no other write runs meanwhile; it may run twice, the first
// time in a transaction that is rolled back.
func (c *committer) submit(ctx context.Context, size int, write func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if c.closed() {
		return store.ErrClosed
	}
	r := &request{write: write, size: size, done: make(chan error, 1)}
	select {
	case c.requests <- r:
	case <-c.closing:
		return store.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	// From here on the committer uses what the caller has lent it, so the context no
	// longer counts.
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

// stop answers what has been handed over, then ends the committer.
func (c *committer) stop() {
	c.stopOnce.Do(func() { close(c.closing) })
	<-c.finished
}

func (c *committer) run() {
	defer close(c.finished)
	defer c.release()
	for {
		select {
		case r := <-c.requests:
			c.commit(c.gather(r))
		case <-c.closing:
			return
		}
	}
}

// release gives the connection back to its pool. Statements of a connection are
// not closed with it, and keep SQLite from moving the WAL into the database.
func (c *committer) release() {
	for _, statement := range []*sql.Stmt{c.selectRoom, c.insertRoom, c.insertUpdate} {
		_ = statement.Close()
	}
	_ = c.conn.Close()
}

// gather adds to the first request those that are waiting behind it.
func (c *committer) gather(first *request) []*request {
	batch := []*request{first}
	for size := first.size; size < maxBatchBytes && len(batch) < maxBatchRequests; {
		select {
		case r := <-c.requests:
			batch = append(batch, r)
			size += r.size
		default:
			return batch
		}
	}
	return batch
}

// commit writes the batch in one transaction. When that fails, each request gets
// a transaction of its own, so that one of them does not fail the others.
func (c *committer) commit(batch []*request) {
	err := c.transact(batch)
	if err == nil || len(batch) == 1 {
		for _, r := range batch {
			r.done <- err
		}
		return
	}
	for _, r := range batch {
		r.done <- c.transact([]*request{r})
	}
}

func (c *committer) transact(batch []*request) error {
	if err := c.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	for _, r := range batch {
		if r.write == nil {
			continue
		}
		if err := r.write(); err != nil {
			c.rollback()
			return err
		}
	}
	if err := c.exec("COMMIT"); err != nil {
		c.rollback()
		return err
	}
	return c.place.check() // last: what was committed counts if it can be found again
}

// rollback ends a transaction that has failed, also after a COMMIT that did. The
// error says nothing: after some failures SQLite has rolled back by itself.
func (c *committer) rollback() { _ = c.exec("ROLLBACK") }

func (c *committer) exec(statement string) error {
	if _, err := c.conn.ExecContext(context.Background(), statement); err != nil {
		return fmt.Errorf("sqlite: %s: %w", statement, explain(err))
	}
	return nil
}
