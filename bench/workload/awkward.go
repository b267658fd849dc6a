package workload

import (
	"encoding/binary"
	"fmt"

	"github.com/yrs-go/yrs/bench/door"
)

// Names of documents that are valid and as hard to work with as can be.
const (
	Prepended   = "one-character items, each before the last"
	Interleaved = "one-character items of two clients in turn"
	Tombstones  = "one-character items, all deleted"
)

// AwkwardDocuments are their names.
var AwkwardDocuments = []string{Prepended, Interleaved, Tombstones}

// AwkwardEdits is how many edits are made in each, every one a part with a time of its own.
const AwkwardEdits = 40

// awkwardCases open such a document, edit, read and encode it.
func awkwardCases(size Size) ([]Case, error) {
	n := AwkwardItems(size)
	prepended := append(prepend(n), 0)
	tombstones := append(prepend(n), 1)
	tombstones = varints(tombstones, author, 1, 0, n)
	return []Case{
		awkward(Prepended, prepended, n), awkward(Interleaved, interleave(n), n), awkward(Tombstones, tombstones, 0),
	}, nil
}

// AwkwardItems is how many items such a document has: a million in full size.
func AwkwardItems(size Size) int { return size.Edits * 25 }

// awkward works with a document whose text has so many characters.
func awkward(name string, document door.Update, length int) Case {
	parts := []door.Part{part(Run, door.Step{Do: door.Apply})}
	r := newRandom(7)
	for i := range AwkwardEdits {
		op := door.TextOp{At: r.IntN(length + 1), Inserted: "y"}
		length++
		if i%2 == 1 {
			op = door.TextOp{At: r.IntN(length - 1), Deleted: 1}
			length -= 2
		}
		parts = append(parts, part(fmt.Sprint("edit ", i), door.Step{Do: door.Edit, Text: []door.TextOp{op}}))
	}
	parts = append(parts, part("read", readText(0)), encodePart(0))
	return Case{Workload: door.Workload{Name: name, Log: []door.Update{document}, Result: textOf(0), Parts: parts}}
}

func varints(to []byte, numbers ...int) []byte {
	for _, n := range numbers {
		to = binary.AppendUvarint(to, uint64(n))
	}
	return to
}

// What follows writes structs of update version 1: a string of one character with the neighbours that the bits name.
const (
	stringItem  = 4
	leftOrigin  = 0x80
	rightOrigin = 0x40
)

// inRoot says where an item without neighbours belongs.
func inRoot(to []byte) []byte {
	return append(varints(to, 1, len(door.Text)), door.Text...)
}

// prepend is the update without a delete set.
func prepend(n int) []byte {
	u := inRoot(append(varints(nil, 1, n, author, 0), stringItem))
	u = append(u, 1, 'x')
	for clock := range n - 1 {
		u = append(varints(append(u, stringItem|rightOrigin), author, clock), 1, 'x')
	}
	return u
}

// interleave has each item follow one of the other client.
func interleave(n int) []byte {
	each := n / 2
	u := varints(nil, 2, each, author+1, 0)
	for clock := range each {
		u = append(varints(append(u, stringItem|leftOrigin), author, clock), 1, 'x')
	}
	u = inRoot(append(varints(u, each, author, 0), stringItem))
	u = append(u, 1, 'x')
	for clock := range each - 1 {
		u = append(varints(append(u, stringItem|leftOrigin), author+1, clock), 1, 'x')
	}
	return append(u, 0)
}
