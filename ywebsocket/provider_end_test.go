package ywebsocket

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
	"github.com/yrs-go/yrs/ycrdt/protocol"
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
