package store_test

import (
	"testing"

	"github.com/yrs-go/yrs/ywebsocket/store"
	"github.com/yrs-go/yrs/ywebsocket/store/storetest"
)

func TestMemory(t *testing.T) {
	storetest.RunArchive(t, func(*testing.T) store.Archive { return store.NewMemory() })
}
