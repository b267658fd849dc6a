//go:build yffidebug

package ycrdt

// reportNesting tells of a transaction that waits inside another one.
func reportNesting() {
	panic("ycrdt: a transaction waits inside another transaction; if both are of the same document it waits for " +
		"itself: use the Tx it has, or pass Tx.Context to get ErrInTransaction")
}
