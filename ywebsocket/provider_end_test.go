package ywebsocket

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
	"github.com/yrs-go/yrs/ycrdt/protocol"
	"github.com/yrs-go/yrs/ywebsocket/store"
)

// Somebody is in a transaction for long: whatever of the connection waits for the document gives up with it, and what had
// arrived comes again.
func TestProvider_DisconnectsDuringATransaction(t *testing.T) {
	update := insert(9, 0, "theirs")
	for name, message := range map[string][]byte{
		"the reader waits": protocol.AppendUpdate(nil, update),
		"the writer waits": protocol.AppendSyncStep1(nil, []byte{0}),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				say := make(chan []byte)
				w := &network{serve: func(n int, server Conn) error {
					if n == 0 {
						go func() { _ = server.WriteMessage(<-say) }()
					}
					go swallow(server, func(m protocol.Message) {
						if m.Type == protocol.MessageSync && m.Sync == protocol.SyncStep1 {
							answer := emptyUpdate
							if n > 0 {
								answer = update
							}
							_ = server.WriteMessage(protocol.AppendSyncStep2(nil, answer))
						}
					})
					return nil
				}}
				e := online(t, ProviderOptions{Dial: w.dial})
				require.NoError(t, e.Synced(t.Context()))
				entered, leave, left := make(chan struct{}), make(chan struct{}), make(chan struct{})
				go func() {
					defer close(left)
					assert.NoError(t, e.doc.Transact(func(*ycrdt.Tx) error {
						close(entered)
						<-leave
						return nil
					}))
				}()
				<-entered
				say <- message
				synctest.Wait()
				start := time.Now()
				e.Disconnect()
				assert.LessOrEqual(t, time.Since(start), clientCloseTimeout)
				assert.Equal(t, StatusDisconnected, e.State().Status)
				assert.NoError(t, e.State().Err)
				close(leave)
				<-left
				assert.Empty(t, e.text())
				e.Connect()
				require.NoError(t, e.Synced(t.Context()))
				assert.Equal(t, "theirs", e.text())
			})
		})
	}
}

// places are those in which a provider must not wait for itself. Each has fn called there once, some of them because of
// what another client does.
var places = map[string]func(t *testing.T, e, other *editor, fn func()){
	"a subscriber of the document": func(_ *testing.T, e, other *editor, fn func()) {
		e.doc.OnUpdate(func(ycrdt.UpdateEvent) { fn() })
		other.write("x")
	},
	"an observer of the awareness": func(t *testing.T, e, other *editor, fn func()) {
		e.Awareness().Observe(func(ycrdt.AwarenessEvent) { fn() })
		require.NoError(t, other.Awareness().SetLocalState("here"))
	},
	"a transaction": func(t *testing.T, e, _ *editor, fn func()) {
		require.NoError(t, e.doc.Transact(func(*ycrdt.Tx) error {
			fn()
			return nil
		}))
	},
	"a transaction that a subscriber waits for": func(t *testing.T, e, other *editor, fn func()) {
		require.NoError(t, e.doc.Transact(func(*ycrdt.Tx) error {
			e.Awareness().Observe(func(ycrdt.AwarenessEvent) { e.text() })
			require.NoError(t, other.Awareness().SetLocalState("here"))
			synctest.Wait()
			fn()
			return nil
		}))
	},
}

// inEveryPlace runs a test with an editor that is in sync, and its local store.
func inEveryPlace(t *testing.T, test func(t *testing.T, e *editor, local store.Store, at func(fn func()))) {
	for name, place := range places {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, local := newTestServer(t, Options{}), store.NewMemory()
				e := online(t, ProviderOptions{Room: "room", Local: local, Dial: toServer(s)})
				other := online(t, ProviderOptions{Dial: toServer(s)})
				require.NoError(t, e.Synced(t.Context()))
				require.NoError(t, other.Synced(t.Context()))
				e.write("mine ")
				require.NoError(t, e.Saved(t.Context()))
				synctest.Wait()
				test(t, e, local, func(fn func()) {
					done := make(chan struct{})
					place(t, e, other, sync.OnceFunc(func() {
						defer close(done)
						fn()
					}))
					<-done
				})
			})
		})
	}
}

func TestProvider_DisconnectDoesNotWaitForItself(t *testing.T) {
	inEveryPlace(t, func(t *testing.T, e *editor, _ store.Store, at func(fn func())) {
		at(e.Disconnect)
		time.Sleep(clientCloseTimeout)
		synctest.Wait()
		assert.Equal(t, StatusDisconnected, e.State().Status)
		heard := false
		e.doc.OnUpdate(func(ycrdt.UpdateEvent) { heard = true })
		e.write("more")
		assert.True(t, heard, "subscribers still hear of changes")
		e.Connect()
		require.NoError(t, e.Saved(t.Context()))
	})
}

// Who connects again need not know that the connection is still ending.
func TestProvider_ConnectsAgainAtOnce(t *testing.T) {
	inEveryPlace(t, func(t *testing.T, e *editor, _ store.Store, at func(fn func())) {
		at(func() {
			e.Disconnect()
			e.Connect()
		})
		time.Sleep(clientCloseTimeout)
		synctest.Wait()
		assert.Equal(t, StatusConnected, e.State().Status)
		e.write("more")
		require.NoError(t, e.Saved(t.Context()))
		at(func() {
			e.Disconnect()
			e.Connect()
			e.Disconnect()
		})
		time.Sleep(clientCloseTimeout)
		synctest.Wait()
		assert.Equal(t, StatusDisconnected, e.State().Status, "the last call counts")
	})
}

func TestProvider_CloseDoesNotWaitForItself(t *testing.T) {
	inEveryPlace(t, func(t *testing.T, e *editor, local store.Store, at func(fn func())) {
		at(e.Close)
		e.Close()
		assert.Equal(t, StatusDisconnected, e.State().Status)
		assert.Equal(t, e.text(), textOf(t, stored(t, local, "room")...))
	})
}

func TestProvider_EndsInItsOwnFunctions(t *testing.T) {
	for name, end := range map[string]func(*Provider){"Disconnect": (*Provider).Disconnect, "Close": (*Provider).Close} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var e *editor
				e = newEditor(t, ProviderOptions{Dial: func(context.Context) (Conn, error) {
					end(e.Provider)
					return nil, errBroken
				}})
				e.Connect()
				synctest.Wait()
				assert.Equal(t, StatusDisconnected, e.State().Status)
				assert.NoError(t, e.State().Err)
			})
		})
	}
}
