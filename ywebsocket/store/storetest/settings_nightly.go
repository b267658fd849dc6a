//go:build nightly

package storetest

// killRounds is how often RunKill kills a process.
const killRounds = 200
