// Package ycrdt is Yjs for Go: shared documents that many peers edit at once and that converge without a
// server deciding. It binds the Rust crate yrs; documents and updates are those of Yjs.
//
// # Documents and transactions
//
// A [Doc] holds shared types under names: [Text], [Map] and [Array], nested as deep as you like. They are read
// and written in transactions, which are closures:
//
//	doc := ycrdt.NewDoc()
//	defer doc.Close()
//
//	err := doc.Transact(func(tx *ycrdt.Tx) error {
//		return tx.Text("content").Insert(0, "Hello")
//	})
//	err = doc.View(func(tx *ycrdt.Tx) error {
//		fmt.Println(tx.Text("content"))
//		return nil
//	})
//
// Any number of views run at once; a write transaction runs alone. A transaction and everything resolved in it
// belong to one goroutine and end with the closure: a handle kept longer reports [ErrTxDone]. Keep a [Ref]
// instead.
//
// There is no rollback. A CRDT merges what happened; it cannot forget it. When the closure returns an error,
// what it had written until then stays, is committed and reaches the other peers.
//
// Do not open a transaction inside another one of the same document: it would wait for itself. Everything that
// a document can do, a [Tx] can do too. Where a call cannot avoid it, pass [Tx.Context] down: with it a nested
// transaction fails at once with [ErrInTransaction].
//
// # Updates
//
// [Doc.EncodeStateAsUpdate] and [Doc.OnUpdate] give updates, [Doc.ApplyUpdate] takes them, in any order and as
// often as they come. Updates from outside are checked before anything changes: what is not an update gives
// [ErrMalformed] and leaves the document as it was.
//
// # Offsets
//
// Offsets into text count UTF-16 code units, as in Yjs, unless [DocOptions.OffsetKind] says otherwise; an
// offset past the end or inside a character is an error, never moved. "a😀b" has length 4: 'a' is at 0, the
// emoji takes 1 and 2, 'b' is at 3, and 2 is refused. [UTF16Offset] and [ByteOffset] convert.
//
// # Values
//
// Plain values are nil, [Undefined], bool, string, []byte, []any, map[string]any and numbers. Numbers keep
// their kind: integers come back as int64, floats as float64, a BigInt as *big.Int. There are two exceptions. A
// whole float between 2^31 and 2^53 is what Yjs writes for an integer of that size, and comes back as int64. And
// yrs does not tell a small BigInt of a peer from an integer. What cannot be carried exactly is refused with
// [ErrUnsupportedValue].
//
// Integers go up to 2^53-1 in magnitude, as in JavaScript. A *big.Int is for larger ones of up to 64 bits, and is accepted
// only if no float64 holds the number, because yrs writes a float otherwise: 2^53+1 and 2^60+1 are accepted, but 5, 2^60 and
// 2^63-1 are not. If an integer may be of any size, write it as a string; if float64 is precise enough, as that.
//
// To nest a shared type, insert a [NewText], [NewRichText], [NewMap] or [NewArray]: one call inserts a whole tree.
//
// # Events
//
// Subscribers are called after the transaction has been committed and its lock released, in the order of the
// commits, one at a time per document, and of one commit those of Observe before those of OnUpdate. They get plain
// values that stay valid. They may open transactions, subscribe and unsubscribe. See [Doc.OnUpdate] and [Doc.Observe],
// and [Doc.Delivered] for when they have been called.
//
// # Presence
//
// [Awareness] tells peers who is there and where their cursors are. It is not part of the document.
//
// # Limits
//
// Plain values nest 64 levels deep at most, and so do new shared types in one call: a value that contains itself is
// refused with [ErrUnsupportedValue]. AsMap, AsSlice and JSON follow 512 levels. At most 16 MiB of events wait for the
// subscribers of a document, and at most 16 MiB of updates for others that have not arrived.
//
// # Memory
//
// A document lives on the native heap, which GOMEMLIMIT does not see; [Doc.MemoryUsage] tells how much that is.
// [Doc.Close] frees it at once; what is not closed is freed when the garbage collector finds it.
package ycrdt
