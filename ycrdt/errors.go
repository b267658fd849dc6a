package ycrdt

import (
	"errors"
	"fmt"

	"github.com/yrs-go/yrs/ycrdt/internal/ffi"
	"github.com/yrs-go/yrs/ycrdt/protocol"
)

// Sentinels for errors.Is.
var (
	// ErrClosed: the document has been closed.
	ErrClosed = errors.New("the document is closed")
	// ErrReadOnly: a write in a View.
	ErrReadOnly = errors.New("the transaction is read-only; use Transact")
	// ErrTxDone: a transaction or a handle used after its closure has returned.
	ErrTxDone = errors.New("the transaction has ended; keep a Ref and resolve it in the next one")
	// ErrInTransaction: a transaction opened inside one of the same document.
	ErrInTransaction = errors.New("the document is already in a transaction of this call; use its Tx")
	// ErrInSubscriber: waiting, inside a subscriber, for what subscribers have not heard yet.
	ErrInSubscriber = errors.New("a subscriber cannot wait for what subscribers are still to hear")
	// ErrOutOfRange: an index past the end or inside a character.
	ErrOutOfRange = errors.New("index out of range")
	// ErrMalformed: an update, a state vector, a reference or JSON that is none. It is also what package protocol reports.
	ErrMalformed = protocol.ErrMalformed
	// ErrTooLarge: a limit on size or depth was passed, or a budget.
	ErrTooLarge = errors.New("too large")
	// ErrHeldFull: an update misses something, and as much is held back already as Limits allow.
	ErrHeldFull = errors.New("too much is held back already")
	// ErrDeleted: the shared type has been deleted.
	ErrDeleted = errors.New("the shared type was deleted")
	// ErrWrongType: the shared type is of another kind.
	ErrWrongType = errors.New("the shared type is of another kind")
	// ErrUnsupportedValue: a value that a document cannot carry exactly. It is also what package protocol reports.
	ErrUnsupportedValue = protocol.ErrUnsupportedValue
	// ErrInvalidArgument: an argument that no document accepts.
	ErrInvalidArgument = errors.New("invalid argument")
	// ErrDocPoisoned: an earlier failure left the document half changed. It can only be closed; load its
	// content into a new one.
	ErrDocPoisoned = errors.New("the document is unusable after an earlier failure; close it and load it again")
	// ErrInternal: the native library failed in a way that no input should cause.
	ErrInternal = errors.New("internal error")
)

// Code is the stable number of an [Error].
type Code int32

// The codes. CodePanic and CodeApplyFailed poison the document if it was being written.
const (
	CodePanic            Code = Code(ffi.CodePanic)
	CodeDocPoisoned      Code = Code(ffi.CodePoisoned)
	CodeMalformed        Code = Code(ffi.CodeMalformed)
	CodeTooLarge         Code = Code(ffi.CodeTooLarge)
	CodeOutOfRange       Code = Code(ffi.CodeOutOfRange)
	CodeDeleted          Code = Code(ffi.CodeDeleted)
	CodeWrongType        Code = Code(ffi.CodeWrongType)
	CodeReadOnly         Code = Code(ffi.CodeReadOnly)
	CodeApplyFailed      Code = Code(ffi.CodeApplyFailed)
	CodeBusy             Code = Code(ffi.CodeBusy)
	CodeInvalidArgument  Code = Code(ffi.CodeInvalidArgument)
	CodeUnsupportedValue Code = Code(ffi.CodeUnsupported)
	CodeHeldFull         Code = Code(ffi.CodeHeldFull)
	CodeClosed           Code = 100
	CodeTxDone           Code = 101
	CodeInTransaction    Code = 102
	CodeInSubscriber     Code = 103
)

var sentinels = map[Code]error{
	CodePanic:            ErrInternal,
	CodeDocPoisoned:      ErrDocPoisoned,
	CodeMalformed:        ErrMalformed,
	CodeTooLarge:         ErrTooLarge,
	CodeOutOfRange:       ErrOutOfRange,
	CodeDeleted:          ErrDeleted,
	CodeWrongType:        ErrWrongType,
	CodeReadOnly:         ErrReadOnly,
	CodeApplyFailed:      ErrDocPoisoned,
	CodeBusy:             ErrInternal,
	CodeInvalidArgument:  ErrInvalidArgument,
	CodeClosed:           ErrClosed,
	CodeTxDone:           ErrTxDone,
	CodeInTransaction:    ErrInTransaction,
	CodeInSubscriber:     ErrInSubscriber,
	CodeUnsupportedValue: ErrUnsupportedValue,
	CodeHeldFull:         ErrHeldFull,
}

// Error is what the package's functions return when a document, a transaction or an argument does not allow what was
// asked for. It matches the sentinel of its code with errors.Is.
//
// Other errors are returned where something else is at fault: what a closure returned, as it is; the error of a context,
// wrapped, so that it matches context.Canceled or context.DeadlineExceeded; [ErrAwarenessRunning], and
// [*ObserverPanicError]. encoding/json wraps an Error in a *json.MarshalerError, through which errors.Is and errors.As
// see, and reports JSON that is malformed as its own *json.SyntaxError before it calls any UnmarshalJSON.
type Error struct {
	// Op is the operation that failed, such as "text insert".
	Op string
	// Code says what went wrong.
	Code Code
	// Msg says it in words.
	Msg string
}

func (e *Error) Error() string {
	return fmt.Sprintf("ycrdt: %s: %s", e.Op, e.Msg)
}

// Unwrap returns the sentinel of the error's code.
func (e *Error) Unwrap() error {
	return sentinels[e.Code]
}

// fail makes the error of code, in the words of its sentinel.
func fail(op string, code Code) error {
	return &Error{Op: op, Code: code, Msg: sentinels[code].Error()}
}

// wrap turns an error from below into one of the package's own; nil stays nil.
func wrap(op string, err error) error {
	if err == nil {
		return nil
	}
	var native *ffi.Error
	var own *Error
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &native):
		return &Error{Op: op, Code: Code(native.Code), Msg: native.Message}
	case errors.Is(err, ErrOutOfRange):
		return &Error{Op: op, Code: CodeOutOfRange, Msg: err.Error()}
	case errors.Is(err, ErrUnsupportedValue):
		return &Error{Op: op, Code: CodeUnsupportedValue, Msg: err.Error()}
	case errors.Is(err, ErrInvalidArgument):
		return &Error{Op: op, Code: CodeInvalidArgument, Msg: err.Error()}
	case errors.Is(err, ErrMalformed):
		return &Error{Op: op, Code: CodeMalformed, Msg: err.Error()}
	default:
		return fmt.Errorf("ycrdt: %s: %w", op, err)
	}
}
