//go:build nightly

package postgres_test

import "time"

// crashes is how often PostgreSQL is killed.
const crashes = 50

// stress is how long calls are made against each other.
const stress = 60 * time.Second
