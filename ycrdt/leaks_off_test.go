//go:build !yffidebug

package ycrdt_test

// nativeLeaks finds nothing: only debug builds count native handles.
func nativeLeaks() error { return nil }
