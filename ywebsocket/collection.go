package ywebsocket

// collection decides when the garbage of a document is worth collecting. That
// takes as long as loading the document, and a client can make garbage as it
// likes: so there has to be much, in proportion to the document, and if it cannot be
// collected it has to double before that is tried again.
type collection struct {
	next int // the garbage at which it is worth it
}

const (
	// maxGarbage is how many deleted shared types a document may always keep.
	maxGarbage = 10_000
	// garbageSize is about how many bytes of memory each takes, and garbageShare which part of
	// the memory of a document all of them may be.
	garbageSize  = 600
	garbageShare = 4
)

func newCollection() collection { return collection{next: maxGarbage} }

// isDue reports whether this garbage, in a document of so many bytes, is to be
// collected.
func (c *collection) isDue(garbage int, memory int64) bool {
	return garbage >= c.next && int64(garbage)*garbageSize >= memory/garbageShare
}

// tried notes what garbage there is left after it was to be collected.
func (c *collection) tried(garbage int) { c.next = max(maxGarbage, 2*garbage) }
