package kind

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEveryKindIsComplete(t *testing.T) {
	t.Parallel()
	codes := map[string]Kind{}
	for k := Internal; k < count; k++ {
		require.NotEmpty(t, k.Code(), "kind %d", k)
		require.NotEmpty(t, k.Error(), k.Code())
		require.GreaterOrEqual(t, k.Status(), 400, k.Code())
		require.NotContains(t, codes, k.Code())
		codes[k.Code()] = k
	}
}

func TestZeroAndUnknownAreInternal(t *testing.T) {
	t.Parallel()
	var zero Kind
	require.Equal(t, Internal, zero)
	require.Equal(t, 500, Kind(200).Status())
	require.Equal(t, Internal, Kind(200).Kind())
}

func TestKindIsAnError(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("wrapped: %w", AlreadyExists)
	require.True(t, errors.Is(err, AlreadyExists))
	require.False(t, errors.Is(err, NotFound))
}

func TestOutcomeUnknownIsNeverResent(t *testing.T) {
	t.Parallel()
	require.Equal(t, 500, OutcomeUnknown.Status())
	require.False(t, OutcomeUnknown.Resend())
}
