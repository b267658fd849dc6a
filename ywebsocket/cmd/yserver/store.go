package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/yrs-go/yrs/ywebsocket/store"
	"github.com/yrs-go/yrs/ywebsocket/store/file"
	"github.com/yrs-go/yrs/ywebsocket/store/postgres"
	"github.com/yrs-go/yrs/ywebsocket/store/sqlite"
	"github.com/yrs-go/yrs/ywebsocket/store/zstd"
)

// openTimeout bounds the wait for a database on the network.
const openTimeout = 30 * time.Second

// openStore opens what --store names, and compresses what is kept there if asked to.
func openStore(name string, compress, giveUpDamaged bool) (store.Store, error) {
	archive, err := openArchive(name, giveUpDamaged)
	if err != nil || !compress {
		return archive, err
	}
	compressed, err := zstd.New(archive)
	if err != nil {
		return nil, errors.Join(err, archive.Close())
	}
	return compressed, nil
}

// openArchive opens what --store names. What follows sqlite: or file:, and the two
// slashes that may stand there, is a path as it is.
func openArchive(name string, giveUpDamaged bool) (store.Archive, error) {
	scheme, rest, _ := strings.Cut(name, ":")
	switch scheme {
	case "memory":
		if rest != "" {
			return nil, fmt.Errorf("--store %q: nothing may follow the colon of memory", name)
		}
		return store.NewMemory(), nil
	case "sqlite":
		s, err := sqlite.Open(strings.TrimPrefix(rest, "//"), sqlite.Options{GiveUpDamaged: giveUpDamaged})
		if err != nil {
			return nil, fmt.Errorf("--store: %w", err)
		}
		return s, nil
	case "file":
		s, err := file.Open(strings.TrimPrefix(rest, "//"), file.Options{GiveUpDamaged: giveUpDamaged})
		if err != nil {
			return nil, fmt.Errorf("--store: %w", err)
		}
		return s, nil
	case "postgres", "postgresql":
		ctx, cancel := context.WithTimeout(context.Background(), openTimeout)
		defer cancel()
		s, err := postgres.Open(ctx, name, postgres.Options{GiveUpDamaged: giveUpDamaged})
		if err != nil {
			return nil, fmt.Errorf("--store: %w", err)
		}
		return s, nil
	default:
		return nil, fmt.Errorf("--store %q: write sqlite:///path/to.db, file:///path/to/directory, postgres://user@host/database, or memory: to keep nothing", name)
	}
}

// redacted is the name of a store without a password in it.
func redacted(name string) string {
	parsed, err := url.Parse(name)
	if err != nil || parsed.User == nil {
		return name
	}
	return parsed.Redacted()
}
