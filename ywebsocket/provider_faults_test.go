package ywebsocket

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt/protocol"
)

// These tests run in virtual time, with the default times of a provider.

// network is what a provider of a test dials.
type network struct {
	mu    sync.Mutex
	dials []time.Time
	// serve gets the server's end of the n-th connection, or returns why there is none.
	serve func(n int, server Conn) error
}

func (w *network) dial(context.Context) (Conn, error) {
	w.mu.Lock()
	n := len(w.dials)
	w.dials = append(w.dials, time.Now())
	w.mu.Unlock()
	ours, theirs := Pipe()
	if err := w.serve(n, theirs); err != nil {
		return nil, err
	}
	return ours, nil
}

func (w *network) attempts() []time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.dials)
}

// online returns an editor that connects with the default times.
func online(t *testing.T, options ProviderOptions) *editor {
	t.Helper()
	options.Backoff = Backoff{Min: 2500 * time.Millisecond, Max: 30 * time.Second}
	e := newEditor(t, options)
	e.Connect()
	return e
}

// swallow reads until the connection ends, and tells each of what it reads.
func swallow(server Conn, each func(protocol.Message)) {
	for {
		message, err := server.ReadMessage()
		if err != nil {
			return
		}
		if m, err := protocol.ReadMessage(protocol.NewDecoder(message)); err == nil && each != nil {
			each(m)
		}
	}
}

func TestProvider_EveryCloseCode(t *testing.T) {
	codes := []CloseCode{0, 3000, 3999, 4000, 4399, 4400, 4401, 4422, 4450, 4499, 4500, 4999}
	for code := CloseCode(1000); code < 1016; code++ {
		codes = append(codes, code)
	}
	for _, code := range codes {
		synctest.Test(t, func(t *testing.T) {
			w := &network{serve: func(_ int, server Conn) error { return server.Close(code, "because") }}
			e := online(t, ProviderOptions{Dial: w.dial})
			time.Sleep(5 * time.Minute)
			state := e.State()
			if code >= 4400 && code <= 4499 {
				assert.Len(t, w.attempts(), 1, "code %d", code)
				assert.Equal(t, StatusDisconnected, state.Status, "code %d", code)
				assert.ErrorIs(t, state.Err, ErrPermanent, "code %d", code)
			} else {
				assert.Greater(t, len(w.attempts()), 5, "code %d", code)
				assert.Equal(t, StatusConnecting, state.Status, "code %d", code)
			}
			var reason *CloseError
			require.ErrorAs(t, state.Err, &reason)
			assert.Equal(t, CloseError{code, "because"}, *reason)
		})
	}
}

func TestProvider_ServerThatNeverAnswers(t *testing.T) {
	for name, serve := range map[string]func(Conn){
		"and reads":         func(server Conn) { swallow(server, nil) },
		"and does not read": func(Conn) {},
		"but asks for all": func(server Conn) {
			_ = server.WriteMessage(protocol.AppendSyncStep1(nil, []byte{0}))
			swallow(server, nil)
		},
		"but tells of others": func(server Conn) {
			_ = server.WriteMessage(protocol.AppendAwareness(nil, []byte{0}))
			swallow(server, nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &network{serve: func(_ int, server Conn) error { go serve(server); return nil }}
				e := online(t, ProviderOptions{Dial: w.dial})
				var timeouts atomic.Int64
				e.Subscribe(func(state ProviderState) {
					if errors.Is(state.Err, errSyncTimeout) {
						timeouts.Add(1)
					}
				})
				e.write("kept")
				time.Sleep(time.Hour)
				attempts := len(w.attempts())
				assert.Greater(t, attempts, 3600/(30+30)-5, "it goes on trying")
				assert.LessOrEqual(t, attempts, 3600/30+1, "and gives the server 30 s")
				assert.Equal(t, "kept", e.text())
				assert.Equal(t, 1, e.State().Unsynced)
				assert.GreaterOrEqual(t, timeouts.Load(), int64(attempts-1))
			})
		})
	}
}

// A large room takes its time on a slow line.
func TestProvider_SlowAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size = 1 << 20
		dials := 0
		e := online(t, ProviderOptions{Dial: func(context.Context) (Conn, error) {
			dials++
			ours, theirs := net.Pipe()
			go func() { _, _ = io.Copy(io.Discard, theirs) }()
			go func() {
				for part := range slices.Chunk(step2Frame(insert(1, 0, strings.Repeat("x", size))).wire, partSize) {
					if _, err := theirs.Write(part); err != nil {
						return
					}
					time.Sleep(10 * time.Second)
				}
			}()
			options, err := DialOptions{}.withDefaults()
			return newWebSocket(&activeConn{Conn: ours, received: newActivity()}, options), err
		}})
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		start := time.Now()
		require.NoError(t, e.Synced(ctx))
		assert.Greater(t, time.Since(start), 2*time.Minute)
		assert.Equal(t, 1, dials)
		assert.Len(t, e.text(), size)
		e.Close()
		time.Sleep(10 * time.Second) // the other end notices
	})
}

func TestProvider_TokenFunctionThatFails(t *testing.T) {
	for name, test := range map[string]struct {
		token func(context.Context) (string, error)
		want  string
		pause time.Duration // of each attempt
	}{
		"an error": {func(context.Context) (string, error) { return "", errors.New("logged out") }, "the token function failed: logged out", 0},
		"a panic":  {func(context.Context) (string, error) { panic("no keys") }, "no keys", 0},
		"it blocks": {func(ctx context.Context) (string, error) {
			<-ctx.Done()
			return "", ctx.Err()
		}, "deadline exceeded", 20 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var calls atomic.Int64
				e := online(t, ProviderOptions{URL: "ws://nowhere.invalid", Room: "room", Token: func(ctx context.Context) (string, error) {
					calls.Add(1)
					return test.token(ctx)
				}})
				time.Sleep(time.Hour)
				most := int64(time.Hour / (test.pause + 5*time.Second))
				assert.Greater(t, calls.Load(), int64(30))
				assert.Less(t, calls.Load(), most)
				assert.ErrorContains(t, e.State().Err, test.want)
				assert.Equal(t, StatusConnecting, e.State().Status)
			})
		})
	}
	t.Run("that says it is of no use", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			e := online(t, ProviderOptions{URL: "ws://nowhere.invalid", Room: "room", Token: func(context.Context) (string, error) {
				return "", errors.Join(errors.New("the account is closed"), ErrPermanent)
			}})
			assert.ErrorIs(t, e.Synced(t.Context()), ErrProviderStopped)
			assert.ErrorContains(t, e.State().Err, "the account is closed")
		})
	})
}

func TestProvider_WaitsAsLongAsTheServerSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &network{serve: func(int, Conn) error {
			return &HandshakeError{Status: http.StatusServiceUnavailable, RetryAfter: time.Hour}
		}}
		online(t, ProviderOptions{Dial: w.dial})
		time.Sleep(12 * time.Hour)
		attempts := w.attempts()
		require.Greater(t, len(attempts), 10)
		for i := range attempts[1:] {
			assert.GreaterOrEqual(t, attempts[i+1].Sub(attempts[i]), time.Hour)
		}
	})
}

func TestProvider_AsksRegularly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		w := &network{serve: func(_ int, server Conn) error {
			go swallow(server, func(m protocol.Message) {
				if m.Type == protocol.MessageSync && m.Sync == protocol.SyncStep1 {
					asked.Add(1)
					_ = server.WriteMessage(protocol.AppendSyncStep2(nil, emptyUpdate))
				}
			})
			return nil
		}}
		online(t, ProviderOptions{Dial: w.dial, ResyncInterval: time.Minute})
		time.Sleep(10*time.Minute + time.Second)
		assert.EqualValues(t, 1+10, asked.Load())
		assert.Len(t, w.attempts(), 1)
	})
}

// A server that does not read does not make the provider keep everything twice.
func TestProvider_ReconnectsWhenTheServerTakesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, Options{})
		w := &network{serve: func(n int, server Conn) error {
			if n > 0 {
				go func() { _ = s.ServeConn(server, "room", Identity{}) }()
				return nil
			}
			go func() {
				_ = server.WriteMessage(protocol.AppendSyncStep1(nil, []byte{0}))
				for range 2 { // SyncStep1 and SyncStep2
					_, _ = server.ReadMessage()
				}
				_ = server.WriteMessage(protocol.AppendSyncStep2(nil, emptyUpdate))
			}()
			return nil
		}}
		e := online(t, ProviderOptions{Dial: w.dial, Queue: 64 << 10})
		require.NoError(t, e.Synced(t.Context()))
		line := strings.Repeat("x", 1023) + "\n"
		for range 100 {
			e.write(line)
			time.Sleep(time.Millisecond)
		}
		require.NoError(t, e.Saved(t.Context()))
		assert.Len(t, w.attempts(), 2)
		late := online(t, ProviderOptions{Dial: w.dial})
		require.NoError(t, late.Synced(t.Context()))
		assert.Equal(t, strings.Repeat(line, 100), late.text())
	})
}

// A server that asks, and does not read the answers, does not make the provider keep an answer for each question.
func TestProvider_QuestionsWithoutReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size = 1 << 20
		ask, read := make(chan struct{}), make(chan struct{})
		answers := make(chan int, 2*pipeRoom)
		w := &network{serve: func(_ int, server Conn) error {
			go func() {
				<-ask
				for range 5000 {
					_ = server.WriteMessage(protocol.AppendSyncStep1(nil, []byte{0}))
				}
				<-read
				go func() { _ = server.WriteMessage(protocol.AppendSyncStep1(nil, []byte{0})) }()
				swallow(server, func(m protocol.Message) {
					if m.Type == protocol.MessageSync && m.Sync == protocol.SyncStep2 {
						answers <- len(textOf(t, m.Payload))
					}
				})
			}()
			return nil
		}}
		e := online(t, ProviderOptions{Dial: w.dial})
		e.write(strings.Repeat("x", size))
		synctest.Wait()
		before := heap()
		close(ask)
		synctest.Wait()
		e.write(strings.Repeat("y", size))
		synctest.Wait()
		assert.Less(t, heap()-before, int64(20*size))
		close(read)
		synctest.Wait()
		assert.LessOrEqual(t, len(answers), pipeRoom+2, "those that were under way, and two for all the questions since")
		var last int
		for range len(answers) {
			last = <-answers
		}
		assert.Equal(t, 2*size, last, "the last of which tells how it is now")
		e.Close()
	})
}

// heap returns the bytes that Go has in use.
func heap() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

// What was sent is remembered up to a bound, however large it is.
func TestProvider_RemembersLittleOfWhatItHasSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &network{serve: func(_ int, server Conn) error {
			go func() { _ = server.WriteMessage(protocol.AppendSyncStep1(nil, []byte{0})) }()
			go swallow(server, func(m protocol.Message) {
				if m.Type == protocol.MessageSync && m.Sync == protocol.SyncStep1 {
					_ = server.WriteMessage(protocol.AppendSyncStep2(nil, emptyUpdate))
				}
			})
			return nil
		}}
		e := online(t, ProviderOptions{Dial: w.dial})
		require.NoError(t, e.Synced(t.Context()))
		for _, size := range []int{100 << 10, 1, 3 << 20, 300 << 10} {
			for range 20 {
				e.write(strings.Repeat("x", size))
				synctest.Wait()
				e.Provider.mu.Lock()
				s := e.session
				e.Provider.mu.Unlock()
				sum := 0
				for _, update := range s.own {
					sum += len(update)
				}
				assert.Equal(t, sum, s.ownBytes)
				assert.LessOrEqual(t, sum, maxOwnBytes)
			}
		}
	})
}

func TestProvider_HoursOffline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, Options{})
		var away atomic.Bool
		w := &network{serve: func(_ int, server Conn) error {
			if away.Load() {
				return errors.New("no network")
			}
			go func() { _ = s.ServeConn(server, "room", Identity{}) }()
			go func() {
				for !away.Load() {
					time.Sleep(time.Second)
				}
				_ = server.Close(CloseGoingAway, "the train is in a tunnel")
			}()
			return nil
		}}
		e := online(t, ProviderOptions{Dial: w.dial})
		other := online(t, ProviderOptions{Dial: w.dial})
		e.write("before ")
		require.NoError(t, e.Saved(t.Context()))
		away.Store(true)
		time.Sleep(time.Minute)
		for range 8 * 60 {
			e.write("x")
			other.write("y")
			time.Sleep(time.Minute)
		}
		assert.Equal(t, 8*60, e.State().Unsynced)
		tries := float64(len(w.attempts())) / 2
		assert.Less(t, tries, 8*3600/15*1.2, "every 15 s on average")
		away.Store(false)
		back := time.Now()
		for _, each := range []*editor{e, other} {
			require.NoError(t, each.Saved(t.Context()))
		}
		assert.LessOrEqual(t, time.Since(back), 31*time.Second)
		time.Sleep(time.Second)
		assert.Equal(t, e.text(), other.text())
		for c, want := range map[string]int{"x": 8 * 60, "y": 8 * 60, "before ": 1} {
			assert.Equal(t, want, strings.Count(e.text(), c), "%q", c)
		}
		away.Store(true) // so that what watches it ends
		time.Sleep(2 * time.Second)
	})
}

// The clients of a server that restarts do not come back at once.
func TestProvider_NoReconnectStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const clients = 200
		restart := make(chan struct{})
		w := &network{serve: func(_ int, server Conn) error {
			go swallow(server, func(m protocol.Message) {
				if m.Type == protocol.MessageSync && m.Sync == protocol.SyncStep1 {
					_ = server.WriteMessage(protocol.AppendSyncStep2(nil, emptyUpdate))
				}
			})
			go func() {
				<-restart
				_ = server.Close(CloseServiceRestart, "")
			}()
			return nil
		}}
		for range clients {
			e := online(t, ProviderOptions{Dial: w.dial})
			require.NoError(t, e.Synced(t.Context()))
		}
		time.Sleep(time.Minute)
		require.Len(t, w.attempts(), clients)
		w.mu.Lock()
		w.serve = func(_ int, server Conn) error { go swallow(server, nil); return nil }
		w.mu.Unlock()
		close(restart)
		time.Sleep(10 * time.Second)
		back := w.attempts()[clients:]
		require.Len(t, back, clients, "each has come back once")
		assert.Greater(t, back[clients-1].Sub(back[0]), 2*time.Second)
		for i := range back {
			together := 0
			for _, later := range back[i:] {
				if later.Sub(back[i]) < 250*time.Millisecond {
					together++
				}
			}
			assert.Less(t, together, clients/4, "within a quarter of a second, a tenth of the time")
		}
	})
}

// What belongs to a document that the server does not show is asked for, and not too often.
func TestProvider_UpdatesOfAnotherDocument(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		w := &network{serve: func(_ int, server Conn) error {
			go func() {
				for clock := uint64(5); server.WriteMessage(protocol.AppendUpdate(nil, insert(9, clock, "x"))) == nil; clock += 2 {
					time.Sleep(100 * time.Millisecond)
				}
			}()
			go swallow(server, func(m protocol.Message) {
				if m.Type == protocol.MessageSync && m.Sync == protocol.SyncStep1 {
					asked.Add(1)
					_ = server.WriteMessage(protocol.AppendSyncStep2(nil, emptyUpdate))
				}
			})
			return nil
		}}
		e := online(t, ProviderOptions{Dial: w.dial})
		e.write("mine")
		time.Sleep(5 * time.Minute)
		assert.Equal(t, "mine", e.text())
		assert.Len(t, w.attempts(), 1)
		assert.Greater(t, asked.Load(), int64(100))
		assert.Less(t, asked.Load(), int64(700), "about once a second, and not ten times")
		e.Close()
		time.Sleep(time.Second) // the other end notices
	})
}
