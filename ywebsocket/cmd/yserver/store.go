package main

import (
	"fmt"
	"strings"

	"github.com/yrs-go/yrs/ywebsocket/store"
	"github.com/yrs-go/yrs/ywebsocket/store/sqlite"
)

// openStore opens what --store names. What follows sqlite: or sqlite:// is a path
// as it stands.
func openStore(name string) (store.Store, error) {
	scheme, rest, _ := strings.Cut(name, ":")
	switch scheme {
	case "memory":
		if rest != "" {
			return nil, fmt.Errorf("--store %q: nothing may follow the colon of memory", name)
		}
		return store.NewMemory(), nil
	case "sqlite":
		s, err := sqlite.Open(strings.TrimPrefix(rest, "//"))
		if err != nil {
			return nil, fmt.Errorf("--store: %w", err)
		}
		return s, nil
	default:
		return nil, fmt.Errorf("--store %q: write sqlite:///path/to.db, or memory: to keep nothing", name)
	}
}
