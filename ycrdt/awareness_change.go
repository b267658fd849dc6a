package ycrdt

import (
	"reflect"
	"slices"
	"time"
)

// awarenessChange collects the events of one change, which is made while the lock
// is held: newChange, put and note, finish.
type awarenessChange struct {
	now    time.Time
	events [awarenessKinds]AwarenessEvent
}

func (a *Awareness) newChange(origin any) awarenessChange {
	change := awarenessChange{now: time.Now()}
	for kind := range change.events {
		change.events[kind] = AwarenessEvent{Kind: AwarenessEventKind(kind), Origin: origin}
	}
	return change
}

// note records what happened to a client, and whether its state has other content
// now.
func (c *awarenessChange) note(kind AwarenessEventKind, clientID uint64, changed bool) {
	event := &c.events[kind]
	event.ClientIDs = append(event.ClientIDs, clientID)
	if changed {
		event.Changed = append(event.Changed, clientID)
	}
}

// settle leaves every client once in each list. An update may name one client any
// number of times, and what is passed on holds its whole state for each.
func (c *awarenessChange) settle() {
	for kind := range c.events {
		event := &c.events[kind]
		event.ClientIDs = withoutRepeats(event.ClientIDs)
		event.Changed = withoutRepeats(event.Changed)
	}
}

// withoutRepeats keeps the first of equal ids. It works in place.
func withoutRepeats(ids []uint64) []uint64 {
	if len(ids) < 2 {
		return ids
	}
	seen := make(map[uint64]struct{}, len(ids))
	return slices.DeleteFunc(ids, func(id uint64) bool {
		_, repeated := seen[id]
		seen[id] = struct{}{}
		return repeated
	})
}

// isLocal tells whether a client is this one, with a state under our control.
func (a *Awareness) isLocal(clientID uint64) bool {
	return a.hasLocal && clientID == a.clientID
}

// put replaces what is known of a client.
func (a *Awareness) put(clientID uint64, client awarenessClient) {
	if a.clients[clientID].state != nil {
		a.present--
	}
	if client.state != nil {
		a.present++
	}
	a.clients[clientID] = client
	if len(a.clients)-a.present > a.opts.MaxStates {
		a.forgetOneBut(clientID)
	}
}

// forgetOneBut forgets a client that is gone, whichever comes first, but neither
// this one nor the one named.
func (a *Awareness) forgetOneBut(clientID uint64) {
	for id, client := range a.clients {
		if client.state == nil && id != clientID && !a.isLocal(id) {
			delete(a.clients, id)
			return
		}
	}
}

// remove takes a client's state away. Only this client's clock is ours to raise:
// the others' equal clock and null is what their peers accept.
func (a *Awareness) remove(change *awarenessChange, clientID uint64) {
	client := a.clients[clientID]
	client.state = nil
	if a.isLocal(clientID) {
		client.clock++
		client.updated = change.now
	}
	a.put(clientID, client)
	change.note(AwarenessRemoved, clientID, true)
}

// RemoveStates takes clients for gone: the connection through which they were
// reached has ended. Ids without a state are ignored. Send the event's clients to
// the others; this client's own clock is raised, the others' are not.
//
// If an observer panics, the states are removed all the same, and the error is an
// [*ObserverPanicError].
func (a *Awareness) RemoveStates(clientIDs []uint64, origin any) error {
	a.lock()
	change := a.newChange(origin)
	for _, id := range clientIDs {
		if a.clients[id].state != nil {
			a.remove(&change, id)
		}
	}
	return a.finish(change)
}

// LoseStates is RemoveStates for clients who may all be there still: only the connection through which they were reached
// has ended. What comes through ApplyUpdate with the same origin later on, as from the next connection to the same
// server, counts with the clock that is known, too; otherwise nobody would be seen again before the next change, or
// the renewal, of the state. The origin has to be comparable for that.
func (a *Awareness) LoseStates(clientIDs []uint64, origin any) error {
	a.lock()
	change := a.newChange(origin)
	for _, id := range clientIDs {
		if a.clients[id].state == nil {
			continue
		}
		a.remove(&change, id)
		if client := a.clients[id]; !a.isLocal(id) && reflect.ValueOf(origin).Comparable() {
			client.lostTo = origin
			a.clients[id] = client
		}
	}
	return a.finish(change)
}
