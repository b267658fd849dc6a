//go:build !nightly

package postgres_test

import "time"

// crashes is how often PostgreSQL is killed.
const crashes = 3

// stress is how long calls are made against each other.
const stress = 2 * time.Second
