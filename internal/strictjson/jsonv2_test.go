//go:build goexperiment.jsonv2

package strictjson

import (
	"encoding/json"
	"encoding/json/jsontext"
	"errors"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"
)

// fromStream decodes itself as in package encoding/json/v2.
type fromStream struct{ n int }

func (f *fromStream) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	token, err := dec.ReadToken()
	if err != nil || token.Kind() != '"' {
		return errors.Join(err, errors.New("no text"))
	}
	f.n = len(token.String())
	return nil
}

func TestTypesOfTheExperimentDecodeThemselves(t *testing.T) {
	t.Parallel()
	var f fromStream
	require.NoError(t, json.Unmarshal([]byte(`"abc"`), &f))
	require.Equal(t, 3, f.n)
	require.Empty(t, Check([]byte(`["abc"]`), reflect.TypeFor[[]fromStream]()))
	require.Len(t, Check([]byte(`["abc", 5, {}]`), reflect.TypeFor[[]fromStream]()), 2)
}
