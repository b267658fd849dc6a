package ywebsocket

import (
	"context"
	"errors"
	"fmt"

	"github.com/yrs-go/yrs/ycrdt"
)

var (
	errIncompleteLog = errors.New("an update of the log builds on one that is not there: it is kept as it is until that comes")
	errMergeLost     = errors.New("the merged log lacks something of")
)

// mergeLog makes one update of a room's log, without the content of what was
// deleted. Before it says so it has loaded that update, and made sure that it
// holds everything the log does. It ends soon after ctx.
func mergeLog(ctx context.Context, log [][]byte) ([]byte, error) {
	doc, pending, err := replay(ctx, log)
	if err != nil {
		return nil, err
	}
	defer doc.Close()
	if pending {
		return nil, errIncompleteLog
	}
	state, err := doc.EncodeStateAsUpdate(nil)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	merged, err := ycrdt.CollectGarbage(state)
	if err != nil {
		return nil, err
	}
	return merged, covers(ctx, merged, log)
}

// replay returns a document that holds the log, and whether it holds something
// back.
func replay(ctx context.Context, log [][]byte) (doc *ycrdt.Doc, pending bool, err error) {
	doc = ycrdt.NewDoc()
	doc.OnUpdate(func(event ycrdt.UpdateEvent) { pending = event.Pending })
	for i, update := range log {
		if err := applyAccepted(ctx, doc, update, integrationBudget); err != nil {
			_ = doc.Close()
			return nil, false, fmt.Errorf("update %d of the log (%d bytes): %w", i+1, len(update), err)
		}
	}
	return doc, pending, nil
}

// covers returns an error unless the update can be loaded, and then nothing of the
// log is new.
func covers(ctx context.Context, merged []byte, log [][]byte) error {
	doc := ycrdt.NewDoc()
	defer doc.Close()
	if err := applyAccepted(ctx, doc, merged, integrationBudget); err != nil {
		return fmt.Errorf("load the merged log: %w", err)
	}
	lacks := false
	// An update may be applied in several rounds.
	doc.OnUpdate(func(event ycrdt.UpdateEvent) { lacks = lacks || event.Update != nil || event.Pending })
	for i, update := range log {
		if err := applyAccepted(ctx, doc, update, integrationBudget); err != nil {
			return fmt.Errorf("compare update %d of the log: %w", i+1, err)
		}
		if lacks {
			return fmt.Errorf("%w update %d", errMergeLost, i+1)
		}
	}
	return nil
}
