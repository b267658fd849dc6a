package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"syscall"

	"github.com/yrs-go/yrs/ywebsocket"
	"github.com/yrs-go/yrs/ywebsocket/store"
)

// run is the program: it returns the exit status. What keeps it from starting is
// one line on stderr.
func run(
	args []string, lookup func(string) (string, bool), signals <-chan os.Signal, stdout, stderr io.Writer,
) int {
	config, err := readConfig(args, lookup, stdout)
	if errors.Is(err, errHelp) {
		return 0
	}
	if err == nil {
		var p *program
		if p, err = start(config, stderr); err == nil {
			return p.serve(signals)
		}
	}
	fmt.Fprintf(stderr, "yserver: %v\n", err)
	return 1
}

// program is what runs between start and shutdown.
type program struct {
	config   config
	log      *slog.Logger
	store    store.Store
	server   *ywebsocket.Server
	listener net.Listener
	http     *http.Server
}

// start acquires everything that can fail. The port comes first: a second server
// on the same port must not touch the database.
func start(config config, logs io.Writer) (_ *program, err error) {
	p := &program{config: config, log: newLogger(config, logs)}
	defer func() {
		if err != nil {
			p.release()
		}
	}()
	if p.listener, err = net.Listen("tcp", config.listen); err != nil {
		return nil, explainListen(config.listen, err)
	}
	if p.store, err = openStore(config.store, config.compress, config.giveUpDamaged); err != nil {
		return nil, err
	}
	quarantine, err := openQuarantine(config.quarantine)
	if err != nil {
		return nil, err
	}
	p.server, err = ywebsocket.NewServer(ywebsocket.Options{
		Store:          p.store,
		CompactAfter:   config.compactAfter,
		History:        config.history,
		Quarantine:     quarantine,
		AllowedOrigins: config.allowedOrigins,
		AllowedHosts:   config.hosts(),
		Logger:         p.log,
	})
	if err != nil {
		return nil, err
	}
	p.http = newHTTPServer(newHandler(p.server, p.log), p.log)
	return p, nil
}

// openQuarantine returns nothing for no path.
func openQuarantine(path string) (func(ywebsocket.QuarantinedUpdate) error, error) {
	if path == "" {
		return nil, nil
	}
	quarantine, err := ywebsocket.QuarantineDir(path)
	if err != nil {
		return nil, fmt.Errorf("--quarantine: %w; name a directory that the server may write to", err)
	}
	return quarantine, nil
}

func newLogger(config config, w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: config.logLevel}
	if config.logFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

func explainListen(address string, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("cannot listen on %s: another program does; stop it or choose another address with --listen", address)
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("cannot listen on %s: not permitted; choose a port above 1023 with --listen", address)
	default:
		return fmt.Errorf("%w; choose another address with --listen", err)
	}
}

// serve serves until the first signal, then drains. A second signal ends it at
// once.
func (p *program) serve(signals <-chan os.Signal) int {
	p.log.Info("serving", "url", "http://"+p.listener.Addr().String(), "store", redacted(p.config.store))
	if p.config.store == "memory:" {
		p.log.Warn("documents live in memory and are lost when the server ends; --store sqlite:///path/to.db keeps them")
	}
	failed := make(chan error, 1)
	go func() { failed <- p.http.Serve(p.listener) }()
	select {
	case err := <-failed:
		p.log.Error("cannot accept connections", "error", err)
		_ = p.shutdown()
		return 1
	case signal := <-signals:
		p.log.Info("shutting down", "signal", signal.String(), "timeout", p.config.shutdownTimeout)
	}
	drained := make(chan error, 1)
	go func() { drained <- p.shutdown() }()
	select {
	case err := <-drained:
		if err != nil {
			p.log.Error("shut down incompletely", "error", err)
			return 1
		}
		p.log.Info("shut down")
		return 0
	case signal := <-signals:
		p.log.Error("ending at once", "signal", signal.String())
		return 1
	}
}

// shutdown drains the server. Until that is done the pages stay, so that
// /readyz can tell.
func (p *program) shutdown() error {
	ctx, cancel := context.WithTimeout(context.Background(), p.config.shutdownTimeout)
	defer cancel()
	return errors.Join(p.server.Shutdown(ctx), p.http.Shutdown(ctx), p.store.Close())
}

// release frees what a failed start has acquired.
func (p *program) release() {
	if p.store != nil {
		_ = p.store.Close()
	}
	if p.listener != nil {
		_ = p.listener.Close()
	}
}
