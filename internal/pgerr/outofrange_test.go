package pgerr

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOutOfRange(t *testing.T) {
	t.Parallel()
	leaf := errors.New("9999999999 is greater than maximum value for int4")
	encode := fmt.Errorf("unable to encode 9999999999 into binary format for int4 (OID 23): %w", leaf)
	args := fmt.Errorf("failed to encode args[1]: %w", encode)
	for name, tc := range map[string]struct {
		err  error
		want bool
		arg  int
	}{
		"nil":                  {},
		"an argument":          {args, true, 2},
		"within others":        {fmt.Errorf("owner: update x: %w", fmt.Errorf("txn: %w", args)), true, 2},
		"joined":               {errors.Join(errors.New("other"), args), true, 0},
		"a row of CopyFrom":    {encode, true, 0},
		"database/sql":         {fmt.Errorf("sql: converting argument $1 type: %w", errors.New("uint64 values with high bit set are not supported")), true, 0},
		"a value that is read": {fmt.Errorf("can't scan into dest[0]: %w", leaf), false, 0},
		"alone":                {leaf, false, 0},
		"of the wrong type":    {fmt.Errorf("failed to encode args[0]: %w", fmt.Errorf("unable to encode: %w", errors.New("cannot find encode plan"))), false, 0},
		"a value with its text": {fmt.Errorf("failed to encode args[0]: %w", fmt.Errorf("unable to encode %w",
			errors.New(`"9 is greater than maximum value for int4" is no number`))), false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, tc.want, OutOfRange(tc.err))
			require.Equal(t, tc.arg, RefusedArgument(tc.err))
		})
	}
}

func TestCopyOutOfRange(t *testing.T) {
	t.Parallel()
	require.True(t, CopyOutOfRange("COPY from stdin failed: unable to encode 9999999999 into binary format for int4 (OID 23): 9999999999 is greater than maximum value for int4"))
	require.False(t, CopyOutOfRange("canceling statement due to user request"))
	require.False(t, CopyOutOfRange("COPY from stdin failed: unable to encode x into binary format for int4 (OID 23): cannot find encode plan"))
}
