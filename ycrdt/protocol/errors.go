package protocol

import (
	"errors"
	"fmt"
)

var (
	// ErrMalformed matches every error about input that is not what it claims to
	// be: truncated, overlong, out of range, nested too deep.
	ErrMalformed = errors.New("malformed data")

	// ErrUnsupportedValue matches every error about a Go value that the encoding
	// cannot carry exactly.
	ErrUnsupportedValue = errors.New("unsupported value")

	// ErrUnknownMessage matches [*UnknownMessageError].
	ErrUnknownMessage = errors.New("unknown message")
)

// DecodeError says where and why input was refused. It matches [ErrMalformed].
type DecodeError struct {
	// Offset is the position, in bytes from the start of the input, of the item
	// that was refused.
	Offset int
	// Reason says what is wrong with it.
	Reason string
}

func (e *DecodeError) Error() string {
	return fmt.Sprintf("protocol: malformed data at byte %d: %s", e.Offset, e.Reason)
}

// Unwrap returns [ErrMalformed].
func (e *DecodeError) Unwrap() error { return ErrMalformed }

// malformed builds the error for the item that starts at offset.
func malformed(offset int, format string, args ...any) error {
	return &DecodeError{Offset: offset, Reason: fmt.Sprintf(format, args...)}
}

// unsupported builds the error for a Go value that cannot be carried.
func unsupported(format string, args ...any) error {
	return fmt.Errorf("protocol: %w: %s", ErrUnsupportedValue, fmt.Sprintf(format, args...))
}
