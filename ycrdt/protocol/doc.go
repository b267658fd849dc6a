// Package protocol reads and writes what Yjs peers put on the wire: the lib0
// binary encoding, and on top of it the messages of y-protocols.
//
// It is pure Go, knows nothing of documents and starts no goroutines. Update
// and state vector bytes travel through it uninterpreted.
//
// # Encoding
//
// [Encoder] and [Decoder] speak lib0: variable-length integers, strings and
// byte strings with their length in front, big-endian floats, and Any, a
// self-describing value comparable to JSON. The decoder is strict. It takes
// nothing from the input on trust: every length and count is compared with the
// bytes that remain before anything is allocated, and a truncated, overlong or
// overflowing value is an error that matches [ErrMalformed].
//
// # Messages
//
// A frame, the payload of one WebSocket message, holds one or more messages:
//
//	00 00 varBytes(state vector)   sync step 1
//	00 01 varBytes(update)         sync step 2
//	00 02 varBytes(update)         update
//	01 varBytes(awareness update)  awareness
//	02 00 varString(reason)        permission denied
//	03                             awareness query
//
// The Append functions write them, in the style of [strconv.AppendInt], and
// [ReadMessage] takes one after the other from a frame. Write one message per
// frame (y-websocket 3.1.0 reads no more than that) and accept many.
//
// # Concurrency
//
// Encoders and decoders belong to one goroutine at a time. Functions are safe
// for concurrent use.
package protocol
