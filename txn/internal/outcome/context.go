package outcome

import (
	"context"
	"errors"
	"fmt"
)

// ContextError returns why ctx is done, including the cause set by its creator.
func ContextError(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if errors.Is(cause, err) {
		return cause
	}
	return fmt.Errorf("%w: %w", err, cause)
}
