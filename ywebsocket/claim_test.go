package ywebsocket

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt/protocol"
)

// pass lets d go by, and everything happen that is due then.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// says sends an awareness message and waits until the server has dealt with it.
func (l *link) says(entries ...protocol.AwarenessEntry) {
	l.sendAwareness(entries...)
	synctest.Wait()
}

// owns reports whether a client belongs to the connection.
func (l *link) owns(id uint64) bool {
	p := presenceOf(l.t, l.server.server)
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.clients[id] != nil && p.clients[id].owner == l.server
}

// A laptop goes to sleep, or changes its network; the server does not know. Back
// again, it is there with its next state: at once, if it is known whose it is, and
// otherwise when the old connection has not answered.
func TestClaim_ComesBackBeforeTheOldConnectionIsKnownToBeDead(t *testing.T) {
	for user, after := range map[string]time.Duration{"": 5 * time.Second, "ada": 0} {
		t.Run(fmt.Sprintf("user %q", user), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newTestServer(t, Options{})
				witness, ada := newWitness(t, s, user), newPeer(t, 1)
				dead := ada.connect(s, user)
				ada.set("before")
				pass(time.Second)
				ada.lose()
				renewed := ada.connect(s, user)
				assert.True(t, dead.owns(1), "that was nothing new")
				ada.set("after")
				if after > 0 {
					pass(after - 1)
					assert.Equal(t, map[uint64]any{1: "before"}, witness.states())
					assert.Empty(t, witness.hasSeenLeave())
					pass(1)
				}
				assert.True(t, renewed.owns(1))
				assert.Equal(t, map[uint64]any{1: "after"}, witness.states())
				witness.hasSeenLeave() // for a moment, if the user is unknown

				pass(2 * time.Minute)
				assert.True(t, dead.server.out.isClosed(), "it does not answer pings")
				ada.set("later")
				assert.Equal(t, map[uint64]any{1: "later"}, witness.states())
				assert.Empty(t, witness.hasSeenLeave())
				ada.drop()
				assert.Equal(t, []uint64{1}, witness.hasSeenLeave())
			})
		})
	}
}

// Who changes nothing is shown as before, and goes over when it renews its state.
func TestClaim_ComesBackUnchanged(t *testing.T) {
	for _, user := range []string{"", "ada"} {
		t.Run(fmt.Sprintf("user %q", user), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newTestServer(t, Options{})
				witness, ada := newWitness(t, s, user), newPeer(t, 1)
				ada.connect(s, user)
				ada.set("Ada")
				pass(time.Second)
				ada.lose()
				renewed := ada.connect(s, user)
				for range 30 {
					pass(time.Second)
					assert.Equal(t, map[uint64]any{1: "Ada"}, witness.states())
				}
				assert.True(t, renewed.owns(1))
			})
		})
	}
}

// The end of the old connection decides, if it comes before the end of the wait.
func TestClaim_TheOldConnectionEndsMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, Options{})
		witness, ada := newWitness(t, s, ""), newPeer(t, 1)
		dead := ada.connect(s, "")
		ada.set("before")
		ada.lose()
		ada.set("after")
		ada.connect(s, "")
		pass(time.Second)
		assert.Equal(t, map[uint64]any{1: "before"}, witness.states())
		require.NoError(t, dead.conn.Close())
		assert.Equal(t, map[uint64]any{1: "after"}, witness.states())
	})
}

// If the server has noticed, the client is shown again as soon as it is back.
func TestClaim_ComesBackAfterItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, Options{})
		witness, ada := newWitness(t, s, ""), newPeer(t, 1)
		ada.connect(s, "")
		ada.set("Ada")
		ada.drop()
		assert.Equal(t, []uint64{1}, witness.hasSeenLeave())
		ada.connect(s, "") // with the clock of which all know that it is over
		assert.Equal(t, map[uint64]any{1: "Ada"}, witness.states())
		assert.Empty(t, witness.hasSeenLeave())
	})
}

func TestClaim_Impersonation(t *testing.T) {
	attacks := map[string][]protocol.AwarenessEntry{
		"newer state":       {state(1, 100, `"fake"`)},
		"same clock":        {state(1, 1, `"fake"`)},
		"end":               {gone(1, 1)},
		"newer end":         {gone(1, 100)},
		"very high clock":   {state(1, 1<<53-1, `"fake"`)},
		"end of all":        {gone(1, 1<<53-1)},
		"amid other things": {state(66, 1, `66`), state(1, 2, `"fake"`), gone(1, 3), gone(66, 2)},
	}
	users := map[string][2]string{
		"without identities":      {"", ""},
		"other user":              {"ada", "eve"},
		"nobody against somebody": {"ada", ""},
		"somebody against nobody": {"", "eve"},
	}
	for name, user := range users {
		for attack, entries := range attacks {
			t.Run(name+"/"+attack, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newTestServer(t, Options{})
					ada := newPeer(t, 1)
					ada.connect(s, user[0])
					ada.set("Ada")
					witness := newWitness(t, s, "witness")
					before := ada.current().pings.Load()
					eve := mute(t, s, user[1])
					eve.says(entries...)
					assert.Equal(t, map[uint64]any{1: "Ada"}, witness.states())
					if user[0] != user[1] {
						assert.Equal(t, before, ada.current().pings.Load())
					}
					for range 60 {
						pass(time.Second)
						eve.says(entries...)
						assert.Equal(t, map[uint64]any{1: "Ada"}, witness.states())
					}
					assert.Empty(t, eve.server.speaker.owned[1])
					require.NoError(t, eve.conn.Close())
					assert.Equal(t, map[uint64]any{1: "Ada"}, witness.states())
					assert.NotContains(t, witness.hasSeenLeave(), uint64(1))
					assert.Equal(t, "Ada", ada.LocalState())
				})
			})
		}
	}
}

// Somebody who waits for a client to be slow can make it leave, and it comes back.
func TestClaim_SlowOwnerContradicts(t *testing.T) {
	for name, claim := range map[string]protocol.AwarenessEntry{"state": state(1, 1000, `"fake"`), "end": gone(1, 1000)} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newTestServer(t, Options{})
				witness, ada := newWitness(t, s, ""), newPeer(t, 1)
				link := ada.connect(s, "")
				ada.set("Ada")
				eve := mute(t, s, "")
				pass(time.Second)
				link.freeze()
				eve.says(claim)
				pass(5*time.Second - 1)
				assert.Equal(t, map[uint64]any{1: "Ada"}, witness.states())
				pass(1)
				assert.Equal(t, []uint64{1}, witness.hasSeenLeave())
				assert.Empty(t, witness.states(), "nobody believes the claim itself")
				link.thaw()
				assert.Equal(t, map[uint64]any{1: "Ada"}, witness.states())
				assert.True(t, link.owns(1))

				eve.says(state(1, 2000, `"fake"`), gone(1, 3000))
				pass(time.Minute)
				require.NoError(t, eve.conn.Close())
				assert.Equal(t, map[uint64]any{1: "Ada"}, witness.states())
				assert.Equal(t, "Ada", ada.LocalState())
				assert.Empty(t, witness.hasSeenLeave())
			})
		})
	}
}

// Two tabs of a browser tell each other, and the one tells the server before the
// other does. Whichever speaks for a client in the end: it leaves when it is not renewed
// any more, and not with the other tab.
func TestClaim_TabsPassOnWhatTheyHear(t *testing.T) {
	for _, user := range []string{"", "ada"} {
		for _, first := range []string{"the other tab", "its own tab"} {
			for _, closed := range []string{"the other tab", "its own tab"} {
				t.Run(fmt.Sprintf("user %q, %s mentions it, %s is closed", user, first, closed), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						s := newTestServer(t, Options{})
						witness := newWitness(t, s, user)
						other, own := newPeer(t, 1), newPeer(t, 2)
						other.connect(s, user)
						other.set("other")
						if first == "its own tab" {
							own.connect(s, user)
						}
						other.tells(own)
						own.tells(other)
						own.set("new") // over the other tab, unless it is connected
						if first == "the other tab" {
							own.connect(s, user)
						}
						for i := range 10 {
							own.set(i)
							other.set(10 * i)
							pass(10 * time.Second)
						}
						assert.Equal(t, map[uint64]any{1: 90.0, 2: 9.0}, witness.states())
						assert.Empty(t, witness.hasSeenLeave())

						other.tells() // a tab that crashes does not say so
						own.tells()
						want := map[uint64]any{1: 90.0}
						if closed == "its own tab" {
							own.drop()
						} else {
							other.drop()
							want = map[uint64]any{2: 9.0}
						}
						pass(time.Minute)
						assert.Equal(t, want, witness.states())
					})
				})
			}
		}
	}
}

// Who holds many clients on one connection, and answers for them, keeps them all.
func TestClaim_LaterClientsOfAConnectionAreItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, Options{})
		bridge, eve := mute(t, s, ""), mute(t, s, "")
		bridge.says(state(1, 1, `1`))
		bridge.says(state(2, 1, `2`))
		eve.says(state(2, 1, `"fake"`))
		eve.says(state(2, 5, `"fake"`))
		pass(time.Minute / 3)
		assert.True(t, bridge.owns(2))
		bridge.says(state(2, 6, `"2"`))
		assert.Equal(t, map[uint64]any{1: 1.0, 2: "2"}, newWitness(t, s, "").states())
	})
}

// A client of a user that was taken over is not removed by the connection that
// comes back with an old end, and is by the one that has it.
func TestClaim_OnlyTheOwnerRemoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, Options{})
		witness := newWitness(t, s, "ada")
		old, renewed := mute(t, s, "ada"), mute(t, s, "ada")
		old.says(state(1, 4, `4`))
		renewed.says(state(1, 5, `5`))
		assert.True(t, renewed.owns(1))
		old.says(gone(1, 5), gone(1, 4), state(1, 5, `"no"`))
		assert.Equal(t, map[uint64]any{1: 5.0}, witness.states())
		require.NoError(t, old.conn.Close())
		assert.Equal(t, map[uint64]any{1: 5.0}, witness.states())
		require.NoError(t, renewed.conn.Close())
		assert.Equal(t, []uint64{1}, witness.hasSeenLeave())
	})
}

// An end with a newer clock is a claim like any other.
func TestClaim_End(t *testing.T) {
	for user, after := range map[string]time.Duration{"": 5 * time.Second, "ada": 0} {
		synctest.Test(t, func(t *testing.T) {
			s := newTestServer(t, Options{})
			witness, ada := newWitness(t, s, user), newPeer(t, 1)
			ada.connect(s, user)
			ada.set("Ada")
			pass(time.Second)
			ada.lose()
			ada.connect(s, user)
			ada.set(nil)
			pass(max(0, after-1))
			if after > 0 {
				assert.Empty(t, witness.hasSeenLeave())
				pass(1)
			}
			assert.Equal(t, []uint64{1}, witness.hasSeenLeave())
			ada.set("here again")
			assert.Equal(t, map[uint64]any{1: "here again"}, witness.states())
		})
	}
}

// Somebody who claims what is not theirs all the time makes the owner answer a ping
// every now and then, whatever the number of clients and messages.
func TestClaim_OwnersArePingedSparingly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, Options{})
		ada, eve, eva := mute(t, s, ""), mute(t, s, ""), mute(t, s, "")
		for clock := range uint64(1000) {
			var own, claimed []protocol.AwarenessEntry
			for id := range uint64(20) {
				own = append(own, state(id+1, 2*clock+1, `1`))
				claimed = append(claimed, state(id+1, 2*clock+2, `2`))
			}
			ada.says(own...)
			pass(10 * time.Millisecond)
			eve.says(claimed...)
			eva.says(claimed...)
			pass(10 * time.Millisecond)
		}
		pass(10 * time.Second)
		assert.InDelta(t, 5, ada.pings.Load(), 1, "in 20 seconds")
		for id := range uint64(20) {
			assert.True(t, ada.owns(id+1))
		}
		presenceOf(t, s)
	})
}

// A connection gets no more clients by taking them over than by bringing them.
func TestClaim_Limits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, Options{Limits: Limits{AwarenessClients: 2}})
		old, renewed := mute(t, s, "ada"), mute(t, s, "ada")
		old.says(states(1, 2)...)
		renewed.says(state(3, 1, `{}`))
		renewed.says(state(1, 2, `{}`), state(2, 2, `{}`), state(1, 3, `{}`))
		assert.True(t, renewed.owns(1))
		assert.True(t, old.owns(2))
		assert.Equal(t, counts{3, 0, 6}, presenceOf(t, s).check(t))
	})
}
