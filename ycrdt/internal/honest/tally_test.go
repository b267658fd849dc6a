package honest

import (
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/yrs-go/yrs/ycrdt"
)

// tally counts what was checked. It is safe for concurrent use.
type tally struct {
	hash maphash.Seed

	mu       sync.Mutex
	seen     map[uint64]struct{} // hashes of the updates
	kinds    map[string]int
	contents map[string]int // of what the updates hold, by Yjs's names
	applied  int
	sessions int
	orders   int
}

func newTally() *tally {
	return &tally{
		hash:     maphash.MakeSeed(),
		seen:     make(map[uint64]struct{}),
		kinds:    make(map[string]int),
		contents: make(map[string]int),
	}
}

// see counts an update that is applied, and tells whether it is the first time.
func (t *tally) see(update update) bool {
	sum := maphash.Bytes(t.hash, update.bytes)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.applied++
	if _, seen := t.seen[sum]; seen {
		return false
	}
	t.seen[sum] = struct{}{}
	t.kinds[update.kind]++
	return true
}

func (t *tally) addContents(contents map[string]int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for name, count := range contents {
		t.contents[name] += count
	}
}

func (t *tally) addSessions(sessions, orders int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sessions += sessions
	t.orders += orders
}

func (t *tally) String() string {
	return fmt.Sprintf("%d distinct updates, applied %d times, none refused; %d sessions, complete in each of %d orders\n%s\n%s",
		len(t.seen), t.applied, t.sessions, t.orders/max(t.sessions, 1), list(t.kinds), list(t.contents))
}

func list(counts map[string]int) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(&b, "  %s: %d", name, counts[name])
	}
	return b.String()
}

// apply applies updates, and checks each that is new.
func (p *player) apply(doc *ycrdt.Doc, updates []update) error {
	for _, update := range updates {
		if p.tally.see(update) {
			if err := ycrdt.CheckUpdate(update.bytes); err != nil {
				return fmt.Errorf("%s: %w: %x", update.kind, err, update.bytes)
			}
		}
		if err := doc.ApplyUpdate(update.bytes); err != nil {
			return fmt.Errorf("%s: %w: %x", update.kind, err, update.bytes)
		}
	}
	return nil
}
