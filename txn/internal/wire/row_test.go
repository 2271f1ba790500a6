package wire

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A row keeps its values after the buffer that they were read into is used again.
func TestRowHasMemoryOfItsOwn(t *testing.T) {
	t.Parallel()
	for _, values := range [][][]byte{
		{},
		{[]byte("1")},
		{nil, {}, []byte("x")},
		{[]byte("a"), []byte("b"), []byte("c"), []byte("d"), nil},
		{[]byte(strings.Repeat("long", 100)), []byte("short")},
	} {
		var want []string
		for _, v := range values {
			want = append(want, string(v))
		}
		var r Row
		r.keep(values)
		require.True(t, r.Found)
		require.Len(t, r.Values, len(values))
		for i, v := range values {
			require.Equal(t, v == nil, r.Values[i] == nil, "NULL is not the empty string")
			for j := range v {
				v[j] = '?'
			}
		}
		r.keep([][]byte{[]byte("the second row")})
		for i, v := range r.Values {
			require.Equal(t, want[i], string(v))
			require.Equal(t, len(v), cap(v), "appending to a value does not reach the next one")
		}
	}
}
