// Package feed hands what a store has read to whoever loads a room.
package feed

import (
	"context"
	"iter"
)

// All calls each with every update. It ends early with the error of each, or that of ctx.
func All(ctx context.Context, updates iter.Seq[[]byte], each func(update []byte) error) error {
	for update := range updates {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := each(update); err != nil {
			return err
		}
	}
	return nil
}
