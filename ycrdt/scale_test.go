//go:build !race && !yffidebug

package ycrdt_test

// closeRounds is how many documents are made and closed in the search for leaks.
const closeRounds = 20000
