// Package honest holds tests that the gate refuses nothing that honest peers send, and that documents are complete
// whatever the order in which it arrives.
//
// TestSessions has real Yjs clients in a Node process, pycrdt clients in a Python process and clients of package ycrdt
// edit documents together: all shared types, all kinds of values, undo, snapshots, with and without garbage
// collection. Everything that they send is checked and delivered to fresh documents in each of [orders]: reversed,
// with gaps, merged, as overlapping states and so on. In the end a document has to hold what Yjs holds, and may hold
// nothing back. What package ycrdt can read is compared directly; states, with the XML in them, are given back to Yjs
// and compared there. What fails is printed with the seed that brings it back:
//
//	YRS_SEED=17 YRS_SESSIONS=1 go test -run TestSessions ./ycrdt/internal/honest
//
// TestLarge has documents that are large, but that honest programs make.
//
// # What is left out
//
// Some of what peers can write is not supported, and so not in the sessions:
//
//   - Y.XmlHook, which yrs cannot decode. Yjs keeps it for old documents.
//   - Weak links, which yrs has and Yjs has not. They are refused, because they let a hostile update refer to
//     anything.
//   - The meta option of a subdocument: yrs knows only some options, and forgets the others when it encodes a state.
//   - What is above the limits of package ycrdt: plain values that nest more than 64 levels deep, shared types more
//     than 128.
//
// And some of what Yjs writes means different things to different Yjs clients, or pycrdt changes it, so that there is
// nothing to compare with:
//
//   - Half of a surrogate pair that a text begins or ends with, or that a client asks for alone. Yjs then has a
//     replacement character, but only where it had to split the pair. Sessions split pairs by insertions
//     and deletions, which everybody hears of.
//   - Formatting that a reading client cleans up. That is an edit of its own, and sessions have it as such.
//   - Sessions with pycrdt clients have no split pairs, which pycrdt miscounts, no halves of pairs and no numbers of
//     many digits in attributes and embeds, which it refuses and changes, and no values as Yjs wrote them before version 13.
//
// As in package difftest, a BigInt that a float can hold is the same as that float, and -0 the same as 0.
package honest
