//go:build nightly

package e2e_test

// storeCrashes is how often a server is killed on each store.
const storeCrashes = 200
