//go:build !nightly

package postgres_test

// crashes is how often PostgreSQL is killed.
const crashes = 3
