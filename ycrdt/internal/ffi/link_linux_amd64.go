package ffi

/*
#cgo LDFLAGS: ${SRCDIR}/libyffi_linux_amd64.a -lgcc_s -lutil -lrt -lpthread -lm -ldl -lc
#if __has_include("yffi_stamp.h")
#include "yffi_stamp.h"
#endif
#ifndef YFFI_ARCHIVE_LINUX_AMD64
#error "libyffi_linux_amd64.a is not built: run make in the folder of github.com/yrs-go/yrs (it needs Rust)"
#endif
*/
import "C"

// ArchiveHash is the SHA-256 of the archive that the package links. It is part of the compiled package, so that
// Go links anew when the archive has changed.
const ArchiveHash = C.YFFI_ARCHIVE_LINUX_AMD64
