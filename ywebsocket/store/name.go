package store

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// ErrName matches the error of Append and SaveVersion for a name of a room or a version
// that cannot be one; see [CheckName].
var ErrName = errors.New("a name has to be valid UTF-8 without NUL, and not empty")

// CheckName returns an error that matches [ErrName] unless a name is valid UTF-8, holds no
// NUL and is not empty. It is for implementations of [Store].
func CheckName(name string) error {
	if name == "" || !utf8.ValidString(name) || strings.ContainsRune(name, 0) {
		return fmt.Errorf("%w (%q)", ErrName, name)
	}
	return nil
}
