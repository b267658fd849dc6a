package ycrdt

import (
	"bytes"
	"fmt"
	"reflect"

	"github.com/yrs-go/yrs/ycrdt/protocol"
)

// maxLocalClock is the highest clock that others may claim for this client. No
// honest one gets there, and it leaves room to count on: JavaScript peers read
// clocks up to 2^53-1.
const maxLocalClock = 1 << 52

// EncodeUpdate returns an awareness update that tells of the given clients: their
// state, or that they are gone. Without ids it is empty, one zero byte. An id that
// is not known, or no longer (see [Awareness.Meta]), is refused with
// ErrInvalidArgument.
func (a *Awareness) EncodeUpdate(clientIDs []uint64) ([]byte, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, id := range clientIDs {
		if _, ok := a.clients[id]; !ok {
			return nil, &Error{
				Op: "awareness encode update", Code: CodeInvalidArgument,
				Msg: fmt.Sprintf("client %d is not known", id),
			}
		}
	}
	return a.encode(clientIDs), nil
}

// EncodeStates returns an awareness update that tells of all clients that have a
// state: what somebody who joins needs.
func (a *Awareness) EncodeStates() []byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.encode(a.presentIDs())
}

// encode writes an update about clients that are known.
func (a *Awareness) encode(clientIDs []uint64) []byte {
	entries := make([]protocol.AwarenessEntry, len(clientIDs))
	for i, id := range clientIDs {
		client := a.clients[id]
		entries[i] = protocol.AwarenessEntry{ClientID: id, Clock: client.clock, State: client.state}
	}
	return protocol.AppendAwarenessUpdate(nil, entries...)
}

// ApplyUpdate takes in an update that another client has encoded. It is checked
// as a whole before anything changes: what is not an awareness update is refused
// with ErrMalformed, and what passes a limit of [AwarenessOptions] with
// ErrTooLarge. The update is not kept.
//
// Of each client the state with the newer clock counts; with equal clocks, the one
// that says the client is gone. When others believe that this client is gone while
// it has a state, the state stays and its clock is raised above theirs: the event
// is AwarenessUpdated, and passing it on corrects them.
//
// If an observer panics, the update is applied all the same, and the error is an
// [*ObserverPanicError].
func (a *Awareness) ApplyUpdate(update []byte, origin any) error {
	const op = "awareness apply update"
	entries, err := protocol.DecodeAwarenessUpdate(update)
	if err != nil {
		return wrap(op, err)
	}
	for _, entry := range entries {
		if err := a.checkStateSize(op, len(entry.State)); err != nil {
			return err
		}
	}
	a.lock()
	if err := a.admit(op, entries, origin); err != nil {
		a.mu.Unlock()
		return err
	}
	change := a.newChange(origin)
	for _, entry := range entries {
		if a.isNews(entry, origin) {
			a.receive(&change, entry)
		}
	}
	change.settle()
	return a.finish(change)
}

// admit refuses the update if it would break a limit.
func (a *Awareness) admit(op string, entries []protocol.AwarenessEntry, origin any) error {
	newcomers := 0
	for _, entry := range entries {
		if a.isLocal(entry.ClientID) && entry.Clock > maxLocalClock {
			return &Error{
				Op: op, Code: CodeMalformed,
				Msg: fmt.Sprintf("clock %d of this client is out of range", entry.Clock),
			}
		}
		if entry.State != nil && a.clients[entry.ClientID].state == nil && a.isNews(entry, origin) {
			newcomers++
		}
	}
	if newcomers > 0 && a.present+newcomers > a.opts.MaxStates {
		return &Error{
			Op: op, Code: CodeTooLarge,
			Msg: fmt.Sprintf("%d clients exceed MaxStates, %d", a.present+newcomers, a.opts.MaxStates),
		}
	}
	return nil
}

// isNews tells whether an entry is newer than what is known, by the clock rule of
// y-protocols. The clock of an unknown client counts as 0. A state that was lost with
// a connection may come back through the next: see LoseStates.
func (a *Awareness) isNews(entry protocol.AwarenessEntry, origin any) bool {
	known := a.clients[entry.ClientID]
	switch {
	case known.clock != entry.Clock:
		return known.clock < entry.Clock
	case entry.State == nil:
		return known.state != nil
	default:
		return known.lostTo != nil && reflect.ValueOf(origin).Comparable() && known.lostTo == origin
	}
}

// receive takes in an entry that is news.
func (a *Awareness) receive(change *awarenessChange, entry protocol.AwarenessEntry) {
	id := entry.ClientID
	previous, known := a.clients[id]
	if entry.State == nil && previous.state != nil && a.isLocal(id) {
		a.put(id, awarenessClient{clock: entry.Clock + 1, updated: change.now, state: previous.state})
		change.note(AwarenessUpdated, id, false)
		return
	}
	a.put(id, awarenessClient{clock: entry.Clock, updated: change.now, state: bytes.Clone(entry.State)})
	switch {
	case entry.State == nil && known:
		change.note(AwarenessRemoved, id, previous.state != nil)
	case entry.State == nil:
		// Never heard of, and gone already: only the clock is worth remembering.
	case !known:
		change.note(AwarenessAdded, id, true)
	default:
		change.note(AwarenessUpdated, id, !equalStates(previous.state, entry.State))
	}
}

// IsAwarenessDisconnectMessage tells whether message is an awareness update, bare
// or with its length in front, that says of at least one client, and of nobody
// anything else, that it is gone. For what is no awareness update it is false.
func IsAwarenessDisconnectMessage(message []byte) bool {
	entries, err := protocol.DecodeAwarenessUpdate(message)
	if err != nil {
		d := protocol.NewDecoder(message)
		bare, err := d.ReadVarBytes()
		if err != nil || d.Remaining() > 0 {
			return false
		}
		if entries, err = protocol.DecodeAwarenessUpdate(bare); err != nil {
			return false
		}
	}
	for _, entry := range entries {
		if entry.State != nil {
			return false
		}
	}
	return len(entries) > 0
}
