package ywebsocket

// progress counts the changes of a provider's document, other than the server's, and how many of the first of them the
// server has. The provider's lock guards it.
type progress struct {
	written  uint64
	received uint64 // are known to have arrived
	saved    uint64 // were sent back
	// echoes: the server has sent an empty update back, so it sends everything back.
	echoes bool
}

func (g *progress) unsynced() int {
	if g.echoes {
		return int(g.written - g.saved)
	}
	return int(g.written - g.received)
}

// receipts are the questions of one connection whose answers say what the server has. It answers each kind in order.
// There is at most one mark of each at a time; what is written after it is the subject of the next.
type receipts struct {
	// A server that sends updates back does so with empty ones, when everything before is stored.
	empties answers
	// Every server answers a SyncStep1, having received everything before.
	steps answers
}

type answers struct {
	asked, answered uint64
	mark            uint64 // the number of the question that counts; 0: none
	covers          uint64 // how much was written before it
}

func (a *answers) ask() { a.asked++ }

// giveUp has the answer to the mark say nothing: what it covers is to be asked about again.
func (a *answers) giveUp() { a.mark, a.covers = 0, 0 }

// askMark asks the question that counts.
func (a *answers) askMark(written uint64) {
	a.ask()
	a.mark, a.covers = a.asked, written
}

// isDue reports whether there is something written of which the server is not known to have it, nor was asked.
func (a *answers) isDue(written, known uint64) bool {
	return a.mark == 0 && a.covers < written && known < written
}

// answer takes an answer in, and returns how much is known to have arrived, 0 for nothing new.
func (a *answers) answer() (covered uint64) {
	if a.answered == a.asked {
		return 0 // nobody has asked
	}
	a.answered++
	if a.mark == 0 || a.answered < a.mark {
		return 0
	}
	a.mark = 0
	return a.covers
}
