package ywebsocket

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt/protocol"
)

// Clients come, change, get stuck, lose their connections and come back, tabs pass on
// what they hear, and somebody says anything about everybody. What is counted remains
// right all the time, and once the troublemakers have left everybody is shown.
func TestPresence_RandomSessions(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { randomSession(t, rand.New(rand.NewPCG(seed, 0))) })
		})
	}
}

func randomSession(t *testing.T, random *rand.Rand) {
	s := newTestServer(t, Options{Limits: Limits{AwarenessStates: 12, AwarenessBytes: 400, AwarenessClients: 30}})
	users := []string{"", "", "ada", "grace"}
	peers, evil := make([]*peer, 6), make([]*link, 3)
	user := func(i int) string { return users[i%len(users)] }
	witness := newWitness(t, s, "")
	for i := range peers {
		peers[i] = newPeer(t, uint64(i+1))
		peers[i].connect(s, user(i))
	}
	peers[0].tells(peers[1])
	peers[1].tells(peers[0])
	for i := range evil {
		evil[i] = mute(t, s, user(i))
	}
	p := presenceOf(t, s)
	for range 80 {
		i := random.IntN(len(peers))
		switch random.IntN(8) {
		case 0, 1:
			peers[i].set(random.IntN(1000))
		case 2:
			peers[i].set(nil)
		case 3:
			peers[i].lose()
			peers[i].connect(s, user(i))
		case 4:
			peers[i].drop()
			peers[i].connect(s, user(i))
		case 5:
			link := peers[i].current()
			link.freeze()
			pass(time.Duration(random.IntN(15)) * time.Second)
			link.thaw()
		case 6:
			pass(time.Duration(random.IntN(20)) * time.Second)
		}
		i = random.IntN(len(evil))
		if random.IntN(10) == 0 {
			require.NoError(t, evil[i].conn.Close())
			evil[i] = mute(t, s, user(i))
		}
		evil[i].says(randomEntries(random)...)
		p.check(t)
	}
	for _, link := range evil {
		require.NoError(t, link.conn.Close())
	}
	want := make(map[uint64]any)
	for i, peer := range peers {
		peer.set(fmt.Sprint("state ", i))
		want[peer.ClientID()] = fmt.Sprint("state ", i)
	}
	pass(2 * time.Minute)
	assert.Equal(t, want, witness.states())
	p.check(t)
}

func randomEntries(random *rand.Rand) []protocol.AwarenessEntry {
	entries := make([]protocol.AwarenessEntry, 1+random.IntN(4))
	for i := range entries {
		id, clock := uint64(1+random.IntN(20)), uint64(random.IntN(40))
		switch random.IntN(10) {
		case 0:
			clock += usualClocks + maxLeap
		case 1:
			clock = 1<<53 - 1
		}
		entries[i] = gone(id, clock)
		if random.IntN(3) > 0 {
			entries[i] = state(id, clock, fmt.Sprintf(`"%*d"`, random.IntN(60), clock))
		}
	}
	return entries
}
