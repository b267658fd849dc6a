package ycrdt_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yrs-go/yrs/ycrdt"
)

// The texts are part of the documentation: they say what was done, what is wrong, and what to do about it.
func TestError_Texts(t *testing.T) {
	doc := newDoc(t)
	write(t, doc, func(tx *ycrdt.Tx) {
		require.NoError(t, tx.Text("t").Insert(0, "abc"))
		require.NoError(t, tx.Text("emoji").Insert(0, "😀"))
		require.NoError(t, tx.Array("a").Insert(0, 1))
	})
	var kept *ycrdt.Text
	for want, fail := range map[string]func(*ycrdt.Tx) error{
		"ycrdt: text insert: index 9 out of range (len 3)":                           func(tx *ycrdt.Tx) error { return tx.Text("t").Insert(9, "x") },
		"ycrdt: text insert embed: nil cannot be embedded; Yjs has no embed of null": func(tx *ycrdt.Tx) error { return tx.Text("t").InsertEmbed(0, nil, nil) },
		"ycrdt: text insert embed: a string cannot be embedded; use Insert for text": func(tx *ycrdt.Tx) error { return tx.Text("t").InsertEmbed(0, "x", nil) },
		"ycrdt: text insert: index -1 is negative":                                   func(tx *ycrdt.Tx) error { return tx.Text("t").Insert(-1, "x") },
		"ycrdt: text insert: offset 1 is inside a character":                         func(tx *ycrdt.Tx) error { return tx.Text("emoji").Insert(1, "x") },
		"ycrdt: text delete: index 4 out of range (len 3)":                           func(tx *ycrdt.Tx) error { return tx.Text("t").Delete(2, 2) },
		"ycrdt: text format: index 4 out of range (len 3)":                           func(tx *ycrdt.Tx) error { return tx.Text("t").Format(0, 4, bold) },
		"ycrdt: array insert: index 2 out of range (len 1)":                          func(tx *ycrdt.Tx) error { return tx.Array("a").Insert(2, 1) },
		"ycrdt: array delete: index 3 out of range (len 1)":                          func(tx *ycrdt.Tx) error { return tx.Array("a").Delete(1, 2) },
		`ycrdt: root: root "t" is of kind Text, not Map`:                             func(tx *ycrdt.Tx) error { return tx.Map("t").Set("k", 1) },
		"ycrdt: apply update: unexpected end at byte 0":                              func(tx *ycrdt.Tx) error { return tx.ApplyUpdate(nil) },
		"ycrdt: resolve: the reference is empty":                                     func(tx *ycrdt.Tx) error { _, err := tx.Resolve(ycrdt.Ref{}); return err },
		"ycrdt: transact: the document is already in a transaction of this call; use its Tx": func(tx *ycrdt.Tx) error {
			return doc.TransactContext(tx.Context(), ycrdt.TxOptions{}, func(*ycrdt.Tx) error { return nil })
		},
		"ycrdt: text delete: the transaction has ended; keep a Ref and resolve it in the next one": func(tx *ycrdt.Tx) error {
			if kept != nil {
				return kept.Delete(0, 0)
			}
			write(t, newDoc(t), func(tx *ycrdt.Tx) { kept = tx.Text("t") })
			return kept.Delete(0, 0)
		},
	} {
		_ = doc.Transact(func(tx *ycrdt.Tx) error {
			assert.EqualError(t, fail(tx), want)
			return nil
		})
	}
	view(t, doc, func(tx *ycrdt.Tx) {
		assert.EqualError(t, tx.Text("t").Insert(0, "x"), "ycrdt: text insert: the transaction is read-only; use Transact")
	})
	require.NoError(t, doc.Close())
	assert.EqualError(t, doc.View(nil), "ycrdt: view: the document is closed")
	assert.EqualError(t, doc.ApplyUpdate(nil), "ycrdt: apply update: the document is closed")
}

// Whatever fails gives one *Error, whose code and sentinel agree, and says "ycrdt:" once.
func TestError_IsTyped(t *testing.T) {
	doc, closed := newDoc(t), newDoc(t)
	require.NoError(t, closed.Close())
	write(t, doc, func(tx *ycrdt.Tx) { require.NoError(t, tx.Text("t").Insert(0, "abc")) })
	type check struct {
		name     string
		err      error
		code     ycrdt.Code
		sentinel error
	}
	var checks []check
	add := func(name string, err error, code ycrdt.Code, sentinel error) {
		checks = append(checks, check{name, err, code, sentinel})
	}
	_, err := ycrdt.NewDocWith(ycrdt.DocOptions{ClientID: 1 << 53})
	add("client id", err, ycrdt.CodeInvalidArgument, ycrdt.ErrInvalidArgument)
	_, err = ycrdt.NewDocWith(ycrdt.DocOptions{OffsetKind: 9})
	add("offset kind", err, ycrdt.CodeInvalidArgument, ycrdt.ErrInvalidArgument)
	_, err = ycrdt.NewDocWith(ycrdt.DocOptions{GUID: "\xff"})
	add("guid", err, ycrdt.CodeUnsupportedValue, ycrdt.ErrUnsupportedValue)
	add("closed", closed.Transact(nil), ycrdt.CodeClosed, ycrdt.ErrClosed)
	add("malformed", doc.ApplyUpdate([]byte{9}), ycrdt.CodeMalformed, ycrdt.ErrMalformed)
	_, err = doc.EncodeStateAsUpdate([]byte{9})
	add("state vector", err, ycrdt.CodeMalformed, ycrdt.ErrMalformed)
	_, err = ycrdt.MergeUpdates([]byte{0, 0}, []byte{9})
	add("merge", err, ycrdt.CodeMalformed, ycrdt.ErrMalformed)
	add("check", ycrdt.CheckUpdate([]byte{9}), ycrdt.CodeMalformed, ycrdt.ErrMalformed)
	view(t, doc, func(tx *ycrdt.Tx) {
		add("read only", tx.Text("t").Delete(0, 1), ycrdt.CodeReadOnly, ycrdt.ErrReadOnly)
		_, err := tx.Observe(ycrdt.RootText("t"), nil)
		add("observe", err, ycrdt.CodeReadOnly, ycrdt.ErrReadOnly)
		add("nested", doc.ViewContext(tx.Context(), nil), ycrdt.CodeInTransaction, ycrdt.ErrInTransaction)
	})
	_ = doc.Transact(func(tx *ycrdt.Tx) error {
		add("wrong type", tx.Array("t").Append(1), ycrdt.CodeWrongType, ycrdt.ErrWrongType)
		add("range", tx.Text("t").Insert(4, "x"), ycrdt.CodeOutOfRange, ycrdt.ErrOutOfRange)
		add("delta range", tx.Text("t").ApplyDelta(ycrdt.Delta{{Retain: -1}}), ycrdt.CodeOutOfRange, ycrdt.ErrOutOfRange)
		add("delta past the end", tx.Text("t").ApplyDelta(ycrdt.Delta{{Delete: 4}}), ycrdt.CodeOutOfRange, ycrdt.ErrOutOfRange)
		add("delta far past the end", tx.Text("t").ApplyDelta(ycrdt.Delta{{Delete: 1 << 40}}), ycrdt.CodeOutOfRange, ycrdt.ErrOutOfRange)
		add("value", tx.Map("m").Set("k", struct{}{}), ycrdt.CodeUnsupportedValue, ycrdt.ErrUnsupportedValue)
		add("tx err", tx.Err(), ycrdt.CodeWrongType, ycrdt.ErrWrongType)
		return nil
	})
	var kept *ycrdt.Tx
	var text *ycrdt.Text
	view(t, doc, func(tx *ycrdt.Tx) { kept, text = tx, tx.Text("t") })
	add("done", kept.ApplyUpdate(nil), ycrdt.CodeTxDone, ycrdt.ErrTxDone)
	text.Len()
	add("done len", kept.Err(), ycrdt.CodeTxDone, ycrdt.ErrTxDone)
	_, err = ycrdt.UTF16Offset("é", 1)
	add("offset", err, ycrdt.CodeOutOfRange, ycrdt.ErrOutOfRange)
	for _, check := range checks {
		assert.ErrorIs(t, check.err, check.sentinel, check.name)
		var typed *ycrdt.Error
		if assert.ErrorAs(t, check.err, &typed, check.name) {
			assert.Equal(t, check.code, typed.Code, check.name)
			assert.Equal(t, "ycrdt: "+typed.Op+": "+typed.Msg, check.err.Error(), check.name)
			assert.NotContains(t, typed.Msg, "ycrdt:", check.name)
		}
	}
}

// A context's error stays recognisable.
func TestError_ContextsAreWrapped(t *testing.T) {
	doc := newDoc(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errMine)
	for _, err := range []error{
		doc.TransactContext(ctx, ycrdt.TxOptions{}, nil),
		doc.ViewContext(ctx, nil),
		doc.ApplyUpdateContext(ctx, ycrdt.TxOptions{}, []byte{0, 0}),
	} {
		assert.ErrorIs(t, err, context.Canceled)
		assert.Regexp(t, "^ycrdt: (transact|view|apply update): context canceled$", err.Error())
	}
}
