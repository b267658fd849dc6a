//go:build nightly

package e2e_test

import "time"

// storeCrashes is how often a server is killed on each store.
const storeCrashes = 200

// storeAway is how long a database is away.
const storeAway = 30 * time.Second

// faults is how often the connections of clients are cut.
const faults = 500
