//go:build !cgo

package ffi

// The native library needs cgo. Without it this name is what the compiler complains about.
var _ = ycrdt_needs_cgo__install_a_C_compiler_and_set_CGO_ENABLED_to_1
