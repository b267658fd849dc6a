//go:build !yffidebug

package ycrdt

import "log/slog"

// reportNesting tells of a transaction that waits inside another one.
func reportNesting() {
	slog.Warn("ycrdt: a transaction has been waiting for a second inside another transaction; if both are of the " +
		"same document it waits for itself: use the Tx it has, or pass Tx.Context to get ErrInTransaction")
}
