package ywebsocket

// A room whose store fails takes no updates until the store works again: what it
// has taken stays in its queue, and what comes then is refused, not lost. Whoever
// is there, or joins meanwhile, is told once by an authentication message of
// y-protocols that permission is denied; clients keep their connection then, and
// their changes. Reading, and awareness, go on. When the store works, everybody is
// asked for what the document lacks, as a joining client is.
//
// It becomes so, and takes updates again, with documentMu held, and apply looks at it
// with that held alone: so an update is either taken before or refused, however long
// its reader has waited.
//
// Nothing is taken in between, not even an update that says nothing: when the
// question goes out, whatever was taken has been returned to its sender. Nor is
// anything taken of those who are asked before they answer: it was sent when they did
// not know that something before it was refused, and is in the answer. So what returns
// after the question was sent after its answer, or is the answer, and everything
// before is stored.

// readOnlyReason says what clients can expect.
const readOnlyReason = "changes cannot be stored at the moment: keep them, they will be asked for"

// becomeReadOnly is called when the store has failed repeatedly.
func (r *room) becomeReadOnly() {
	r.log.Warn("room is read-only until the store works again")
	r.documentMu.RLock()
	defer r.documentMu.RUnlock()
	r.membersMu.Lock()
	defer r.membersMu.Unlock()
	r.readOnly.Store(true)
	f := deniedFrame(readOnlyReason)
	for c := range r.members {
		c.out.send(f)
	}
}

// becomeWritable is called when the store works again.
func (r *room) becomeWritable() {
	r.log.Info("room takes updates again")
	r.documentMu.RLock()
	defer r.documentMu.RUnlock()
	// Without a document nobody knows what it lacks: they are asked for everything.
	known := []byte{0} // a state vector of no clients
	if r.document != nil {
		if stateVector, err := r.document.stateVector(r.server.ctx); err == nil {
			known = stateVector
		}
	}
	f := step1Frame(known)
	r.membersMu.Lock()
	defer r.membersMu.Unlock()
	// Nobody is denied anything behind the question, which allows it.
	r.readOnly.Store(false)
	r.refuseAll()
	for c := range r.members {
		c.out.send(f)
	}
}
