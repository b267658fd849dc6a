// Package hostile makes updates that no honest peer sends, and tests that they do no harm.
//
// A [Generator] makes up [Sequence]s from a seed: updates in v1 encoding that are well-formed but wrong, and that
// refer to each other often enough to get deep into a document. The tests feed them to package ycrdt and, under
// AddressSanitizer, to the crate below it. Either runs in a child process, so that its death is seen; what kills it
// is shrunk and printed with the seed that brings it back:
//
//	YRS_SEED=17 YRS_HOSTILE=1 go test -run TestHostile ./ycrdt/internal/hostile
//
// What was found so is kept in testdata/hostile.
package hostile
