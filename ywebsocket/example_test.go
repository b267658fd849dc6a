package ywebsocket_test

import (
	"context"
	"errors"
	"log"
	"net/http"
	"os/signal"
	"syscall"
	"time"

	"github.com/yrs-go/yrs/ywebsocket"
	"github.com/yrs-go/yrs/ywebsocket/store/sqlite"
)

// A server with a database, that stores everything before it ends.
func Example() {
	documents, err := sqlite.Open("documents.db", sqlite.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer documents.Close()

	server, err := ywebsocket.NewServer(ywebsocket.Options{
		Store:          documents,
		AllowedOrigins: []string{"https://app.example.com"},
		AllowedHosts:   []string{"collab.example.com"},
	})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/ws/", http.StripPrefix("/ws", server))
	httpServer := &http.Server{Addr: ":1234", Handler: mux, ReadHeaderTimeout: 10 * time.Second}

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	go func() {
		if err := httpServer.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
			log.Fatal(err)
		}
	}()
	<-ctx.Done()

	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := errors.Join(server.Shutdown(ctx), httpServer.Shutdown(ctx)); err != nil {
		log.Print(err)
	}
}

// Rooms of tenants, whom a middleware has recognised.
func ExampleOptions_roomName() {
	type tenant struct{}
	server, err := ywebsocket.NewServer(ywebsocket.Options{
		RoomName: func(r *http.Request) (string, error) {
			name, ok := r.Context().Value(tenant{}).(string)
			if !ok {
				return "", errors.New("sign in first")
			}
			room, err := ywebsocket.RoomFromPath(r)
			return name + "/" + room, err
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("/docs/{room...}", server)
}
