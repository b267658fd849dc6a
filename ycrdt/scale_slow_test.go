//go:build race || yffidebug

package ycrdt_test

// closeRounds is how many documents are made and closed: few, because these builds are slow.
const closeRounds = 500
