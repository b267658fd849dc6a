package ywebsocket

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/yrs-go/yrs/ycrdt"
)

// applyAccepted applies an update that was accepted before, however much it costs.
// It does that in rounds, between which it looks at ctx, and says that it got on. The
// last round tells subscribers of the document even if it held nothing new.
func applyAccepted(ctx context.Context, doc *ycrdt.Doc, update []byte, round time.Duration) error {
	var before []byte
	for ctx.Err() == nil {
		err := doc.ApplyUpdateContext(ctx, ycrdt.TxOptions{NotifyEmpty: true, Budget: round}, update)
		if !errors.Is(err, ycrdt.ErrTooLarge) {
			gotOn(ctx)
			return err
		}
		after, err := doc.EncodeStateVector()
		if err != nil {
			return err
		}
		if bytes.Equal(before, after) {
			// It does not get on: strangers may not send such an update.
			return doc.ApplyUpdateContext(ctx, ycrdt.TxOptions{NotifyEmpty: true}, update)
		}
		before = after
		gotOn(ctx)
	}
	return context.Cause(ctx)
}
