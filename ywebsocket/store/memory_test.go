package store_test

import (
	"testing"

	"github.com/yrs-go/yrs/ywebsocket/store"
	"github.com/yrs-go/yrs/ywebsocket/store/storetest"
)

func TestMemory(t *testing.T) {
	storetest.Run(t, func(*testing.T) store.Store { return store.NewMemory() })
}
